#include "driver/job/static_tables/static_source.h"

namespace tidemill::driver {

arrow::Result<connectors::EpochInput> StaticSource::Next(connectors::ReadLimit limit) {
  ARROW_ASSIGN_OR_RAISE(const auto source, make_());
  const connectors::ReadLimit everything{.everything = true, .splits = limit.splits};
  ARROW_ASSIGN_OR_RAISE(connectors::EpochInput all, source->Next(everything));
  connectors::EpochInput input;
  input.splits = std::move(all.splits);
  return input;
}

}  // namespace tidemill::driver
