#include "tests/driver/scheduler_driver.h"

#include <fmt/format.h>

#include <type_traits>

#include "common/base/error.h"
#include "driver/epoch/term_number.h"

namespace tidemill::driver {

namespace {

std::string Show(const SchedulerAction& action) {
  return std::visit(
      [](const auto& a) -> std::string {
        using T = std::decay_t<decltype(a)>;
        if constexpr (std::is_same_v<T, action::FixSourceEnds>) return "FixEnds";
        if constexpr (std::is_same_v<T, action::PollSources>)
          return a.everything ? "Poll all" : "Poll";
        if constexpr (std::is_same_v<T, action::AppendPlan>) return fmt::format("Plan {}", a.epoch);
        if constexpr (std::is_same_v<T, action::Assign>)
          return fmt::format("Assign v{} of {}{}", ShowNumber(a.version), a.workers.size(),
                             a.with_stored_plan ? " with stored plan" : "");
        if constexpr (std::is_same_v<T, action::Release>)
          return fmt::format("Release {}", a.worker);
        if constexpr (std::is_same_v<T, action::SendRun>)
          return fmt::format("Run {}.{} after {}.{}", a.epoch, ShowNumber(a.attempt),
                             a.committed_epoch, ShowNumber(a.committed_attempt));
        if constexpr (std::is_same_v<T, action::SendAbort>)
          return fmt::format("Abort {}.{}", a.epoch, ShowNumber(a.attempt));
        if constexpr (std::is_same_v<T, action::CommitSinks>)
          return fmt::format("CommitSinks {}.{}", a.epoch, ShowNumber(a.attempt));
        if constexpr (std::is_same_v<T, action::AppendCommit>)
          return fmt::format("Commit {}.{}{}", a.epoch, ShowNumber(a.attempt),
                             a.with_next_plan ? " + plan" : "");
        if constexpr (std::is_same_v<T, action::TellCommitted>)
          return fmt::format("Tell {}.{}", a.epoch, ShowNumber(a.attempt));
        if constexpr (std::is_same_v<T, action::CommitSources>)
          return fmt::format("CommitSources {}", a.epoch);
        if constexpr (std::is_same_v<T, action::ReportFallingBehind>)
          return fmt::format("Behind {}ms", a.took.count() / 1000);
        if constexpr (std::is_same_v<T, action::ReportRetry>)
          return fmt::format("Retry in {}ms", a.delay.count() / 1000);
        if constexpr (std::is_same_v<T, action::ArmTimer>)
          return fmt::format("Timer at {}", a.at.time_since_epoch().count());
        if constexpr (std::is_same_v<T, action::Finish>)
          return fmt::format("Finish {}{}", a.status.ok() ? "ok" : ErrorClassOf(a.status),
                             a.was_stopped ? " stopped" : "");
      },
      action);
}

}  // namespace

SchedulerDriver::SchedulerDriver(Trigger trigger)
    : scheduler_(trigger, std::chrono::milliseconds(10)) {}

arrow::Status SchedulerDriver::ErrorOf(ErrorKind kind) {
  return MakeError(kind, fmt::format("KIND_{}", static_cast<int>(kind)), "planned error");
}

std::vector<std::string> SchedulerDriver::Feed(const SchedulerEvent& event) {
  std::vector<std::string> shown;
  if (const auto* recovered = std::get_if<event::Recovered>(&event)) term_ = recovered->term;
  for (const SchedulerAction& action : scheduler_.Handle(event, now_)) {
    if (const auto* assign = std::get_if<action::Assign>(&action)) {
      assigned_[assign->version] = assign->workers;
    }
    shown.push_back(Show(action));
  }
  return shown;
}

std::vector<std::string> SchedulerDriver::StartFresh(int64_t last_committed) {
  Feed(event::Recovered{.last_committed = last_committed, .last_attempt = 1});
  Feed(event::WorkersChanged{{"a", "b"}});
  return Assigned(1);
}

std::vector<std::string> SchedulerDriver::Assigned(uint64_t count) {
  const uint64_t version = NumberInTerm(term_, count);
  return Feed(event::AssignmentReady{version, assigned_.at(version)});
}

std::vector<std::string> SchedulerDriver::NotAssigned(uint64_t count, ErrorKind kind) {
  return Feed(event::AssignmentFailed{NumberInTerm(term_, count), ErrorOf(kind)});
}

void SchedulerDriver::RunNext() { Feed(event::InputPolled{.has_data = true}); }

void SchedulerDriver::StartRunning(int64_t epoch) {
  StartFresh(epoch - 1);
  RunNext();
  Feed(event::PlanDurable{epoch});
}

std::vector<std::string> SchedulerDriver::PrepareAll(int64_t epoch, uint64_t attempt) {
  Feed(event::Prepared{"a", epoch, attempt});
  return Feed(event::Prepared{"b", epoch, attempt});
}

}  // namespace tidemill::driver
