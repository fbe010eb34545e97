#include "tests/driver/log_fixture.h"

#include <fmt/format.h>

#include "common/base/random.h"
#include "driver/log/log_state.h"

namespace tidemill::driver {

void LogFixture::SetUp() {
  checkpoint_ = JoinPath(testing::TempDir(), "tidemill-" + NewUuid(Random::System()));
  ASSERT_TRUE(fs_->CreateDirectories(checkpoint_).ok());
}

void LogFixture::TearDown() { ASSERT_TRUE(RemoveTree(fs_, checkpoint_).ok()); }

std::string LogFixture::Contents(const std::string& name) const {
  return ReadFile(fs_, Path(name)).ValueOrDie();
}

void LogFixture::Overwrite(const std::string& name, std::string_view contents) {
  ASSERT_TRUE(fs_->Remove(Path(name)).ok());
  auto file = fs_->Create(Path(name)).ValueOrDie();
  ASSERT_TRUE(file->Append(contents).ok());
  ASSERT_TRUE(file->Close().ok());
}

arrow::Result<CommitLog::Opened> LogFixture::OpenLog() {
  ARROW_ASSIGN_OR_RAISE(Term term, Term::Take(fs_, checkpoint_, "pid=1 host=test", false));
  return CommitLog::Open(fs_, checkpoint_, std::move(term), false);
}

proto::LogRecord LogFixture::Plan(int64_t epoch) {
  proto::LogRecord record;
  proto::EpochPlan* plan = record.mutable_plan()->mutable_plan();
  plan->set_epoch(epoch);
  plan->set_plan_fingerprint(77);
  plan->set_lanes(1);
  plan->set_epoch_time_us(1000 + epoch);
  auto* source = plan->add_sources();
  source->set_end_offset(fmt::format("{{\"logOffset\":{}}}", epoch));
  source->add_splits()->set_path(fmt::format("/in/{}", epoch));
  return record;
}

proto::LogRecord LogFixture::Commit(int64_t epoch) {
  proto::LogRecord record;
  proto::CommitRecord* commit = record.mutable_commit();
  commit->set_epoch(epoch);
  commit->set_attempt(1);
  commit->set_plan_hash(PlanHash(Plan(epoch).plan().plan()));
  return record;
}

proto::LogRecord LogFixture::CommitAndPlan(int64_t epoch) {
  proto::LogRecord record = Commit(epoch);
  *record.mutable_commit()->mutable_next_plan() = Plan(epoch + 1).plan().plan();
  return record;
}

proto::LogRecord LogFixture::Base(int64_t epoch) {
  proto::LogRecord record;
  record.mutable_base()->set_epoch(epoch);
  record.mutable_base()->add_source_snapshots(fmt::format("at {}", epoch));
  return record;
}

std::string Summary(const LogContents& contents) {
  std::string text;
  for (const LogEntry& entry : contents.entries) {
    const proto::LogRecord& record = entry.record;
    if (!text.empty()) text += ' ';
    if (record.has_open()) text += fmt::format("Open{}", record.open().term());
    if (record.has_plan()) text += fmt::format("Plan{}", record.plan().plan().epoch());
    if (record.has_commit()) {
      text += fmt::format("Commit{}", record.commit().epoch());
      if (record.commit().has_next_plan()) {
        text += fmt::format("+Plan{}", record.commit().next_plan().epoch());
      }
    }
    if (record.has_drop()) text += "Drop";
    if (record.has_base()) text += fmt::format("Base{}", record.base().epoch());
  }
  return text;
}

}  // namespace tidemill::driver
