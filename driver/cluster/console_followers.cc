#include "driver/cluster/console_followers.h"

#include <utility>

namespace tidemill::driver {

void ConsoleFollowers::Add(FollowerPtr follower) {
  MutexLock lock(&mutex_);
  followers_.push_back(std::move(follower));
}

void ConsoleFollowers::Remove(const FollowerPtr& follower) {
  MutexLock lock(&mutex_);
  std::erase(followers_, follower);
}

bool ConsoleFollowers::Print(std::string_view text) {
  std::vector<FollowerPtr> followers;
  {
    MutexLock lock(&mutex_);
    followers = followers_;
  }
  for (const FollowerPtr& follower : followers) follower->on_text(text);
  return !followers.empty();
}

std::vector<ConsoleFollowers::FollowerPtr> ConsoleFollowers::TakeAll() {
  MutexLock lock(&mutex_);
  return std::exchange(followers_, {});
}

}  // namespace tidemill::driver
