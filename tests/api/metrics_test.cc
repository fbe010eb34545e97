#include "driver/api/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemill::driver {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

EpochProgress Epoch(const std::string& job, uint32_t attempt = 1) {
  EpochProgress progress;
  progress.name = job;
  progress.epoch = 6;
  progress.input_rows = 100;
  progress.output_rows = 10;
  progress.duration_us = {{"triggerExecution", 4'000}, {"walCommit", 1'500}};
  progress.state = {{.rows_total = 30, .memory_bytes = 4'096, .rows_dropped_late = 2},
                    {.rows_total = 12, .memory_bytes = 1'024}};
  progress.attempt = (uint64_t{3} << 32) + attempt;
  return progress;
}

proto::JobInfo Job(const std::string& name, proto::JobInfo::State state) {
  proto::JobInfo job;
  job.set_name(name);
  job.set_state(state);
  return job;
}

TEST(DriverMetricsTest, CountsTheEpochsOfAJob) {
  DriverMetrics metrics;
  metrics.OnEpoch(Epoch("clicks"));
  metrics.OnEpoch(Epoch("clicks", 3));

  const std::string text = metrics.Text();
  for (const char* line :
       {"# TYPE tidemill_driver_epochs_total counter\n",
        "tidemill_driver_epochs_total{job_name=\"clicks\"} 2\n",
        "tidemill_driver_input_rows_total{job_name=\"clicks\"} 200\n",
        "tidemill_driver_output_rows_total{job_name=\"clicks\"} 20\n",
        "tidemill_driver_late_rows_total{job_name=\"clicks\"} 4\n",
        "tidemill_driver_retried_attempts_total{job_name=\"clicks\"} 2\n",
        "tidemill_driver_epoch_duration_seconds_count{job_name=\"clicks\"} 2\n",
        "tidemill_driver_epoch_duration_seconds_sum{job_name=\"clicks\"} 0.008\n",
        "tidemill_driver_epoch_duration_seconds_bucket{job_name=\"clicks\",le=\"0.0025\"} 0\n",
        "tidemill_driver_epoch_duration_seconds_bucket{job_name=\"clicks\",le=\"0.005\"} 2\n",
        "tidemill_driver_epoch_phase_seconds_total{job_name=\"clicks\",phase=\"walCommit\"} "
        "0.003\n",
        "tidemill_driver_last_committed_epoch{job_name=\"clicks\"} 6\n",
        "tidemill_driver_state_rows{job_name=\"clicks\"} 42\n",
        "tidemill_driver_state_memory_bytes{job_name=\"clicks\"} 5120\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(DriverMetricsTest, ForgetsTheSeriesOfJobsThatHaveEnded) {
  DriverMetrics metrics;
  metrics.OnEpoch(Epoch("clicks"));
  metrics.OnEpoch(Epoch("orders"));

  metrics.SetJobs({Job("clicks", proto::JobInfo::RETRYING), Job("orders", proto::JobInfo::FINISHED),
                   Job("clicks", proto::JobInfo::FINISHED)});

  EXPECT_THAT(metrics.Text(), AllOf(HasSubstr("clicks"), Not(HasSubstr("orders")),
                                    HasSubstr("tidemill_driver_jobs{state=\"RETRYING\"} 1\n"),
                                    HasSubstr("tidemill_driver_jobs{state=\"FINISHED\"} 2\n"),
                                    HasSubstr("tidemill_driver_jobs{state=\"RUNNING\"} 0\n")));
  metrics.OnEpoch(Epoch("orders"));
  EXPECT_THAT(metrics.Text(), HasSubstr("tidemill_driver_epochs_total{job_name=\"orders\"} 1\n"));
}

TEST(DriverMetricsTest, CountsWorkersThatAreAliveAndTheirSlots) {
  proto::WorkerInfo alive;
  alive.set_state("ALIVE");
  alive.set_slots(4);
  proto::WorkerInfo lost = alive;
  lost.set_state("LOST");
  DriverMetrics metrics;

  metrics.SetWorkers({alive, alive, lost});

  EXPECT_THAT(metrics.Text(), AllOf(HasSubstr("tidemill_driver_workers_alive 2\n"),
                                    HasSubstr("tidemill_driver_worker_slots 8\n")));
}

TEST(DriverMetricsTest, EscapesNames) {
  DriverMetrics metrics;
  metrics.OnEpoch(Epoch("a\"b\\c\nd"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr(R"(tidemill_driver_epochs_total{job_name="a\"b\\c\nd"} 1)"));
}

TEST(DriverMetricsTest, TellsTheMemoryOfTheProcess) {
  DriverMetrics metrics;
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("tidemill_driver_resident_memory_bytes 0\n")));
}

}  // namespace
}  // namespace tidemill::driver
