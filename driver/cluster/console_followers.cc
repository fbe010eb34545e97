#include "driver/cluster/console_followers.h"

#include <string>
#include <utility>

namespace tidemill::driver {

namespace {

constexpr size_t kMaxHeld = size_t{1} << 20;

}  // namespace

void ConsoleFollowers::HoldForFirst() {
  MutexLock lock(&mutex_);
  is_holding_ = true;
}

void ConsoleFollowers::Add(FollowerPtr follower) {
  while (true) {
    std::string held;
    {
      MutexLock lock(&mutex_);
      if (held_.empty()) {
        is_holding_ = false;
        followers_.push_back(std::move(follower));
        return;
      }
      held = std::exchange(held_, {});
    }
    follower->on_text(held);  // What is printed meanwhile is kept, and comes next.
  }
}

void ConsoleFollowers::Remove(const FollowerPtr& follower) {
  MutexLock lock(&mutex_);
  std::erase(followers_, follower);
}

std::string ConsoleFollowers::Print(std::string_view text) {
  std::vector<FollowerPtr> followers;
  {
    MutexLock lock(&mutex_);
    if (is_holding_ && held_.size() + text.size() <= kMaxHeld) {
      held_ += text;
      return "";
    }
    is_holding_ = false;
    if (followers_.empty()) return std::exchange(held_, {}) + std::string(text);
    followers = followers_;
  }
  for (const FollowerPtr& follower : followers) follower->on_text(text);
  return "";
}

std::vector<ConsoleFollowers::FollowerPtr> ConsoleFollowers::TakeAll() {
  MutexLock lock(&mutex_);
  return std::exchange(followers_, {});
}

}  // namespace tidemill::driver
