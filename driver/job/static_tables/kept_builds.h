#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tidemill::proto {
class EpochPlan;
class PhysicalPlan;
}  // namespace tidemill::proto

namespace tidemill::driver {

// Whether the workers of an assignment still have what their joins have made of static tables, so
// that an epoch need not read the same files again. All static tables of a plan go together.
// *Thread-compatible.*
class KeptBuilds {
 public:
  KeptBuilds() = default;  // of a plan without such joins
  explicit KeptBuilds(const proto::PhysicalPlan& plan);

  // An attempt goes out to every worker of assignment `version`. True where they may keep what they
  // have: then nothing of it is read; else they make it anew.
  bool Begin(const proto::EpochPlan& plan, uint64_t version);
  // Every worker has done the attempt.
  void NotePrepared();
  // An attempt has failed.
  void Forget() { build_.reset(); }

 private:
  struct Build {
    uint64_t splits = 0;  // Hash64 of them
    uint64_t version = 0;
    bool is_complete = false;
  };

  std::vector<int> sources_;  // that lead to nothing but build sides that can be kept
  std::optional<Build> build_;
};

}  // namespace tidemill::driver
