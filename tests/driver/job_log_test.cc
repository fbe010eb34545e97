#include "driver/job/job_log.h"

#include <gtest/gtest.h>

#include "tests/driver/log_fixture.h"

namespace tidemill::driver {
namespace {

proto::LogRecord PlanOf(size_t payload_bytes) {
  proto::LogRecord record;
  auto* source = record.mutable_plan()->mutable_plan()->add_sources();
  source->add_splits()->set_payload(std::string(payload_bytes, 'x'));
  return record;
}

TEST(LogGrowthTest, ABaseIsDueAfterSoManyCommits) {
  LogGrowth growth;
  growth.Note(PlanOf(10));
  EXPECT_FALSE(growth.IsBaseDue(99, 100, 1 << 20));
  EXPECT_TRUE(growth.IsBaseDue(100, 100, 1 << 20));
}

TEST(LogGrowthTest, ABaseIsDueEarlierWherePlansHoldManyBytes) {
  LogGrowth growth;
  growth.Note(PlanOf(2000));
  EXPECT_FALSE(growth.IsBaseDue(0, 100, 1000)) << "there is nothing that it would replace";
  EXPECT_TRUE(growth.IsBaseDue(1, 100, 1000));
}

TEST(LogGrowthTest, ABaseIsNotDueBeforeTheLogHasGrownByItsOwnSize) {
  LogGrowth growth;
  proto::LogRecord base;
  base.mutable_base()->add_source_snapshots(std::string(5000, 'x'));
  growth.Note(PlanOf(9000));
  growth.Note(base);
  EXPECT_EQ(growth.records_bytes, 0);

  growth.Note(PlanOf(2000));
  EXPECT_FALSE(growth.IsBaseDue(100, 1, 1000));
  growth.Note(PlanOf(4000));
  EXPECT_TRUE(growth.IsBaseDue(2, 100, 1000));
}

}  // namespace
}  // namespace tidemill::driver
