#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/base/clock.h"

namespace tidemill::driver {

// Which workers the scheduler is told of. A move of key groups stops the job for as long as their
// next owners read them, so these read them ahead (WarmUp) while epochs go on: a worker that joins
// or wants to leave is shown to the scheduler only when that is done, and the Assign then reads
// what has changed since. (As the warm-up replicas of Kafka Streams, KIP-441.)
//
// A worker that is lost is lost at once; then, and when a warm-up fails, nothing is held back.
// Decides only, the caller sends. *Thread-compatible.*
class Membership {
 public:
  struct View {
    std::set<std::string> workers;  // that are there
    std::set<std::string> leaving;  // of these
    bool operator==(const View&) const = default;

    std::set<std::string> Assignable() const;  // those that stay
  };

  // Who is there now.
  void Update(View there);
  // The scheduler itself has let it go.
  void Forget(const std::string& worker);
  const View& there() const { return there_; }
  const View& shown() const { return shown_; }

  // Something is held back that no warm-up is about: one should begin or, where there is nothing to
  // gain by it, ShowAll be called. False as long as what was shown last is not assigned.
  bool wants_warm_up() const { return !warming_.has_value() && !is_settling_ && there_ != shown_; }
  void ShowAll();

  // A round of the warm-up for what is there now: its number, then who has been asked (somebody).
  uint64_t next_round() const { return round_ + 1; }
  void Begin(std::set<std::string> asked, SteadyTime now);
  // An answer. kAgain: the round took so long that another one pays, or others have come
  // or want to leave meanwhile; kShown: what it was for is
  // shown; kNothing: others are missing, or nobody waits for the answer.
  enum class Next { kNothing, kAgain, kShown };
  Next OnWarm(const std::string& worker, uint64_t round, SteadyTime now);
  bool is_warming() const { return warming_.has_value(); }
  bool is_warming(uint64_t round) const { return is_warming() && round == round_; }

  // What is shown has its key groups.
  void OnAssigned() { is_settling_ = false; }

 private:
  struct WarmUp {
    View next;  // to be shown
    std::set<std::string> unanswered;
    SteadyTime began;
    int rounds;
  };

  View there_;
  View shown_;
  std::optional<WarmUp> warming_;
  uint64_t round_ = 0;        // number of the newest
  bool is_settling_ = false;  // after a warm-up
};

}  // namespace tidemill::driver
