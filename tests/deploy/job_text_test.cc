#include "deploy/client/job_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/client/text_table.h"

namespace tidemill::deploy {
namespace {

constexpr int64_t kNow = 1'800'000'000'000'000;

proto::JobInfo Job() {
  proto::JobInfo job;
  job.set_id("3f2a1c9e-0000-4000-8000-000000000001");
  job.set_name("counts");
  job.set_state(proto::JobInfo::RUNNING);
  job.set_submitted_us(kNow - 125'000'000);
  job.set_committed_us(kNow - 250'000);
  job.set_last_committed(11);
  job.set_epochs(12);
  job.set_input_rows(1234567);
  job.set_output_rows(30);
  job.set_slots(4);
  job.set_checkpoint("/root/checkpoints/counts");
  return job;
}

TEST(TextTableTest, ColumnsAreAligned) {
  TextTable table({{"NAME"}, {"ROWS", true}, {"LAST"}});
  table.AddRow({"a", "1", ""});
  table.AddRow({"größer", "1,000", "x"});
  EXPECT_EQ(table.Text(1), " NAME     ROWS  LAST\n a           1  -\n größer  1,000  x\n");
}

TEST(TextTableTest, NumbersAndTimesForPeople) {
  EXPECT_EQ(CountText(-1234567), "-1,234,567");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(AgeText(0, kNow), "");
  EXPECT_EQ(AgeText(kNow, kNow), "now");
  EXPECT_EQ(AgeText(kNow - 3'000'000, kNow), "3 s ago");
  EXPECT_EQ(AgeText(kNow - 125'000'000, kNow), "2 min ago");
  EXPECT_EQ(RateText(12.345), "12.3");
  EXPECT_EQ(RateText(123456.7), "123,457");
  EXPECT_EQ(BytesText(1536), "1.5 KiB");
}

TEST(JobTextTest, OneLinePerJob) {
  EXPECT_EQ(
      JobsText({Job()}, kNow),
      "ID        NAME    STATE    BATCH    ROWS IN  ROWS OUT  SLOTS  SUBMITTED  LAST COMMIT\n"
      "3f2a1c9e  counts  RUNNING     11  1,234,567        30      4  2 min ago  250 ms ago\n");
}

TEST(JobTextTest, StatusShowsTheLastEpoch) {
  proto::GetJobReply status;
  *status.mutable_info() = Job();
  status.add_recent_progress(
      R"({"batchId":11,"timestamp":"2026-11-23T09:00:00.000Z","numInputRows":40,)"
      R"("inputRowsPerSecond":10.0,"processedRowsPerSecond":8000.0,)"
      R"("durationMs":{"addBatch":4,"triggerExecution":5},)"
      R"("stateOperators":[{"operatorName":"stateStoreSave","numRowsTotal":30,"numRowsUpdated":2,)"
      R"("numRowsRemoved":0,"memoryUsedBytes":2048,"numRowsDroppedByWatermark":0}],)"
      R"("sources":[{"description":"FileStreamSource[file:/in]","startOffset":{"logOffset":1},)"
      R"("endOffset":{"logOffset":2},"latestOffset":null,"numInputRows":40}],)"
      R"("sink":{"description":"ConsoleSink","numOutputRows":3}})");
  EXPECT_EQ(JobStatusText(status, kNow), R"(counts  RUNNING
  id          3f2a1c9e-0000-4000-8000-000000000001
  submitted   2 min ago
  slots       4
  checkpoint  /root/checkpoints/counts
  epochs      12 in this run, last 11, committed 250 ms ago
  rows        1,234,567 in, 30 out
  rows/s      10.0 arriving, 8,000 processed

Last epoch: batchId 11, 40 rows, 2026-11-23T09:00:00.000Z

  PHASE             MS
  triggerExecution   5
  addBatch           4

  SOURCE                      ROWS  ROWS/S  START            END              LATEST
  FileStreamSource[file:/in]    40       -  {"logOffset":1}  {"logOffset":2}  -

  SINK         ROWS
  ConsoleSink     3

  STATE           ROWS  ROWS/S  UPDATED  REMOVED  LATE  MEMORY
  stateStoreSave    30       -        2        0     0   2 KiB
)");
}

TEST(JobTextTest, StatusShowsWhereStateIsHowItGrowsAndWhoReadsIt) {
  proto::GetJobReply status;
  *status.mutable_info() = Job();
  status.mutable_info()->set_checkpoint_state_bytes(3 << 20);
  proto::JobRestore* restore = status.mutable_info()->add_restores();
  restore->set_worker("w2");
  restore->set_key_groups(64);
  restore->set_key_groups_read(45);
  restore->set_rows(12'000'000);
  *status.mutable_info()->add_restores() = *restore;
  status.mutable_info()->mutable_restores(1)->set_is_ahead(true);
  status.add_recent_progress(
      R"({"timestamp":"2026-11-30T23:59:58.000Z","stateOperators":[{"numRowsTotal":1000}]})");
  status.add_recent_progress(
      R"({"timestamp":"2026-12-01T00:00:00.000Z","stateOperators":[{"operatorName":"stateStoreSave",)"
      R"("numRowsTotal":5000,"memoryUsedBytes":2048,"customMetrics":{"coldRows":4000,)"
      R"("coldKeys":200,"coldLookups":5,"coldLookupsFound":4,"diskBytes":65536}}]})");
  const std::string text = JobStatusText(status, kNow);
  EXPECT_THAT(text, testing::HasSubstr("  checkpoint  /root/checkpoints/counts (3 MiB of state)\n"
                                       "  restores    w2: 45 of 64 key groups, 12,000,000 rows\n"
                                       "  reads ahead w2: 45 of 64 key groups, 12,000,000 rows\n"));
  EXPECT_THAT(text, testing::HasSubstr(R"(
  STATE            ROWS  ROWS/S  UPDATED  REMOVED  LATE  MEMORY    DISK   COLD  HIT RATE
  stateStoreSave  5,000   2,000        0        0     0   2 KiB  64 KiB  4,000     97.5%
)"));
}

}  // namespace
}  // namespace tidemill::deploy
