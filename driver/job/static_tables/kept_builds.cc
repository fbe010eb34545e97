#include "driver/job/static_tables/kept_builds.h"

#include <string>

#include "common/base/hash.h"
#include "proto/log.pb.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {

KeptBuilds::KeptBuilds(const proto::PhysicalPlan& plan) {
  const auto add = [&](int producer) {
    for (const proto::Stage& stage : plan.stages()) {
      if (stage.id() == producer) sources_.push_back(stage.source());
    }
  };
  for (const proto::Stage& stage : plan.stages()) {
    for (const proto::StageInput& input : stage.inputs()) {
      if (input.is_kept()) add(input.stage());
    }
  }
  for (const proto::Broadcast& broadcast : plan.broadcasts()) {
    if (!broadcast.is_kept()) continue;
    for (const int producer : broadcast.stages()) add(producer);
  }
}

bool KeptBuilds::Begin(const proto::EpochPlan& plan, uint64_t version) {
  if (sources_.empty()) return false;
  std::string splits;
  for (const int source : sources_) plan.sources(source).AppendToString(&splits);
  const uint64_t hash = Hash64(splits);
  if (build_.has_value() && build_->is_complete && build_->splits == hash &&
      build_->version == version) {
    return true;
  }
  build_ = Build{hash, version};
  return false;
}

void KeptBuilds::NotePrepared() {
  if (build_.has_value()) build_->is_complete = true;
}

}  // namespace tidemill::driver
