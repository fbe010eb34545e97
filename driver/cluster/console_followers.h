#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/mutex.h"
#include "driver/cluster/job_board.h"

namespace tidemill::driver {

// Who reads the console output of one job. *Thread-safe.*
class ConsoleFollowers {
 public:
  using FollowerPtr = std::shared_ptr<const JobBoard::Follower>;

  // Until somebody follows, output is kept for the first one; for clients that follow the job that
  // they have just submitted. More than 1 MiB of it is not.
  void HoldForFirst() EXCLUDES(mutex_);
  // What is kept goes to it first, on this thread.
  void Add(FollowerPtr follower) EXCLUDES(mutex_);
  void Remove(const FollowerPtr& follower) EXCLUDES(mutex_);
  // To everyone, on this thread, without the lock; one call at a time. What is for nobody is
  // returned: `text`, after what was kept before it.
  std::string Print(std::string_view text) EXCLUDES(mutex_);
  std::vector<FollowerPtr> TakeAll() EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::vector<FollowerPtr> followers_ GUARDED_BY(mutex_);
  bool is_holding_ GUARDED_BY(mutex_) = false;
  std::string held_ GUARDED_BY(mutex_);
};

}  // namespace tidemill::driver
