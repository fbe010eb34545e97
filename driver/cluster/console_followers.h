#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "common/base/mutex.h"
#include "driver/cluster/job_board.h"

namespace tidemill::driver {

// Who reads the console output of one job. *Thread-safe.*
class ConsoleFollowers {
 public:
  using FollowerPtr = std::shared_ptr<const JobBoard::Follower>;

  void Add(FollowerPtr follower) EXCLUDES(mutex_);
  void Remove(const FollowerPtr& follower) EXCLUDES(mutex_);
  // To everyone, on this thread, without the lock. False where there is nobody.
  bool Print(std::string_view text) EXCLUDES(mutex_);
  std::vector<FollowerPtr> TakeAll() EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::vector<FollowerPtr> followers_ GUARDED_BY(mutex_);
};

}  // namespace tidemill::driver
