#include "driver/job/members/membership.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "common/base/check.h"

namespace tidemill::driver {

namespace {

// What came during a round that took longer is worth another one, up to a number: the pause is at
// most about what changes in that time. So are workers that came or wanted to leave meanwhile.
constexpr auto kShortRound = std::chrono::milliseconds(200);
constexpr int kMaxRounds = 5;

bool HasAll(const std::set<std::string>& names, const std::set<std::string>& wanted) {
  return std::includes(names.begin(), names.end(), wanted.begin(), wanted.end());
}

}  // namespace

std::set<std::string> Membership::View::Assignable() const {
  std::set<std::string> names;
  std::set_difference(workers.begin(), workers.end(), leaving.begin(), leaving.end(),
                      std::inserter(names, names.end()));
  return names;
}

void Membership::Update(View there) {
  there_ = std::move(there);
  if (!HasAll(there_.workers, shown_.workers)) return ShowAll();
  if (warming_.has_value() && !HasAll(there_.workers, warming_->next.workers)) warming_.reset();
}

void Membership::Forget(const std::string& worker) {
  for (View* view : {&there_, &shown_}) {
    view->workers.erase(worker);
    view->leaving.erase(worker);
  }
  if (!warming_.has_value()) return;
  warming_->next.workers.erase(worker);
  warming_->next.leaving.erase(worker);
}

void Membership::ShowAll() {
  warming_.reset();
  is_settling_ = false;
  shown_ = there_;
}

void Membership::Begin(std::set<std::string> asked, SteadyTime now) {
  TIDEMILL_CHECK(!asked.empty());
  if (!warming_.has_value())
    warming_.emplace(WarmUp{.next = {}, .unanswered = {}, .began = {}, .rounds = 0});
  ++round_;
  warming_->next = there_;
  ++warming_->rounds;
  warming_->unanswered = std::move(asked);
  warming_->began = now;
}

Membership::Next Membership::OnWarm(const std::string& worker, uint64_t round, SteadyTime now) {
  if (!is_warming(round)) return Next::kNothing;
  warming_->unanswered.erase(worker);
  if (!warming_->unanswered.empty()) return Next::kNothing;
  const bool is_due = there_ != warming_->next || now - warming_->began > kShortRound;
  if (is_due && warming_->rounds < kMaxRounds) return Next::kAgain;
  shown_ = std::exchange(warming_, std::nullopt)->next;
  is_settling_ = true;
  return Next::kShown;
}

}  // namespace tidemill::driver
