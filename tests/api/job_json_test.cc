#include "driver/api/job_json.h"

#include <gtest/gtest.h>

namespace tidemill::driver {
namespace {

proto::JobInfo RunningJob() {
  proto::JobInfo job;
  job.set_id("0f8fad5b-d9cb-469f-a165-70867728950e");
  job.set_name("clicks");
  job.set_state(proto::JobInfo::RUNNING);
  job.set_submitted_us(1'767'225'600'123'999);
  job.set_last_committed(6);
  job.set_epochs(7);
  job.set_input_rows(5'000'000'000);
  job.set_output_rows(40);
  job.set_slots(4);
  job.set_checkpoint("/data/root/checkpoints/clicks");
  job.set_run_id("7c9e6679-7425-40de-944b-e07fc1f90ae7");
  job.set_checkpoint_state_bytes(365'000'000);
  proto::JobRestore* restore = job.add_restores();
  restore->set_worker("w2");
  restore->set_is_ahead(true);
  restore->set_key_groups(64);
  restore->set_key_groups_read(45);
  restore->set_rows(12'000'000);
  return job;
}

TEST(JobJsonTest, ARunningJobHasNoErrorAndNoEnd) {
  EXPECT_EQ(JobJson(RunningJob()),
            R"({"id":"0f8fad5b-d9cb-469f-a165-70867728950e","name":"clicks","state":"RUNNING",)"
            R"("error":null,"submitted":"2026-01-01T00:00:00.123Z","finished":null,)"
            R"("lastBatchId":6,"batches":7,"inputRows":5000000000,"outputRows":40,"slots":4,)"
            R"("checkpointLocation":"/data/root/checkpoints/clicks",)"
            R"("runId":"7c9e6679-7425-40de-944b-e07fc1f90ae7",)"
            R"("checkpointStateBytes":365000000,"restores":[{"worker":"w2","kind":"ahead",)"
            R"("keyGroups":64,"keyGroupsRead":45,"rows":12000000}]})");
}

TEST(JobJsonTest, AFailedJobCarriesItsErrorWithAllBytesEscaped) {
  proto::JobInfo job;
  job.set_state(proto::JobInfo::FAILED);
  job.set_name("a\"b\\c");
  job.set_finished_us(1);
  job.set_last_committed(-1);
  job.mutable_error()->set_error_class("DIVIDE_BY_ZERO");
  job.mutable_error()->set_message("line 1\nline\t2 \x01 \u00e9");

  EXPECT_EQ(JobJson(job),
            R"({"id":"","name":"a\"b\\c","state":"FAILED",)"
            R"("error":{"errorClass":"DIVIDE_BY_ZERO","sqlState":"22012",)"
            R"("message":"line 1\nline\t2 \u0001 é"},)"
            R"("submitted":null,"finished":"1970-01-01T00:00:00.000Z","lastBatchId":-1,)"
            R"("batches":0,"inputRows":0,"outputRows":0,"slots":0,)"
            R"("checkpointLocation":"","runId":"",)"
            R"("checkpointStateBytes":0,"restores":[]})");
}

TEST(JobJsonTest, JobsAreAnArrayInTheOrderGiven) {
  EXPECT_EQ(JobsJson({}), R"({"jobs":[]})");
  const std::string one = JobJson(RunningJob());
  EXPECT_EQ(JobsJson({RunningJob(), RunningJob()}), R"({"jobs":[)" + one + "," + one + "]}");
}

TEST(JobJsonTest, StatusHoldsTheProgressAsItIsAndTheLastOfIt) {
  proto::GetJobReply status;
  *status.mutable_info() = RunningJob();
  std::string head = JobJson(RunningJob());
  head.pop_back();

  EXPECT_EQ(JobStatusJson(status), head + R"(,"lastProgress":null,"recentProgress":[]})");

  status.add_recent_progress(R"({"batchId":5})");
  status.add_recent_progress(R"({"batchId":6})");
  EXPECT_EQ(JobStatusJson(status), head + R"(,"lastProgress":{"batchId":6},)"
                                          R"("recentProgress":[{"batchId":5},{"batchId":6}]})");
}

TEST(JobJsonTest, TheClusterListsItsWorkers) {
  proto::GetClusterReply cluster;
  cluster.set_term(3);
  cluster.set_pid(17);
  cluster.set_listen("127.0.0.1:7400");
  cluster.set_http("127.0.0.1:7480");
  cluster.set_root("/data/root");
  cluster.set_build("b1");
  proto::WorkerInfo* worker = cluster.add_workers();
  worker->set_id("w1");
  worker->set_incarnation("i1");
  worker->set_slots(2);
  worker->set_state("ALIVE");
  worker->set_exchange_address("127.0.0.1:40123");
  worker->set_heartbeat_age_us(12'700);
  worker->set_jobs(1);

  EXPECT_EQ(ClusterJson(cluster),
            R"({"term":3,"pid":17,"listen":"127.0.0.1:7400","http":"127.0.0.1:7480",)"
            R"("root":"/data/root","build":"b1","workers":[{"id":"w1","incarnation":"i1",)"
            R"("slots":2,"state":"ALIVE","exchange":"127.0.0.1:40123","heartbeatAgeMs":12,)"
            R"("jobs":1}]})");
}

}  // namespace
}  // namespace tidemill::driver
