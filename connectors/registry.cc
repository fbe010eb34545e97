// The formats that exist, by name: the functions of source.h and sink.h that begin with a format.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "connectors/file/file_options.h"
#include "connectors/rate/rate_source.h"
#include "connectors/sink.h"
#include "connectors/socket/socket_source.h"
#include "connectors/source.h"

namespace tidemill::connectors {

namespace {

enum class SourceFormat { kFile, kRate, kSocket };

struct NamedSource {
  std::string_view name;
  SourceFormat format;
};

constexpr std::array<NamedSource, 5> kSources = {{
    {"text", SourceFormat::kFile},
    {"json", SourceFormat::kFile},
    {"socket", SourceFormat::kSocket},
    {"rate", SourceFormat::kRate},
    {"rate-micro-batch", SourceFormat::kRate},
}};

constexpr std::array<std::string_view, 6> kLater = {"csv",  "parquet", "orc",
                                                    "avro", "kafka",   "postgres"};

// `names` are the formats that exist, as a sequence of texts.
template <class Names>
arrow::Status UnknownFormat(std::string_view role, const std::string& format, const Names& names) {
  const bool is_planned = std::find(kLater.begin(), kLater.end(), format) != kLater.end();
  const auto status = MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATA_SOURCE",
                                fmt::format("{} format is {}: format={}", role,
                                            is_planned ? "not supported yet" : "unknown", format));
  const std::string nearest = is_planned ? "" : NearestName(format, names);
  if (!nearest.empty()) return WithHint(status, fmt::format("did you mean {}?", nearest));
  return WithHint(status, fmt::format("{} formats: {}", role, fmt::join(names, ", ")));
}

arrow::Result<SourceFormat> FindSource(const std::string& format) {
  std::array<std::string_view, kSources.size()> names;
  for (size_t i = 0; i < kSources.size(); ++i) {
    if (kSources[i].name == format) return kSources[i].format;
    names[i] = kSources[i].name;
  }
  return UnknownFormat("source", format, names);
}

}  // namespace

arrow::Result<SourceSpec> ResolveSource(SourceSpec spec) {
  ARROW_ASSIGN_OR_RAISE(const SourceFormat format, FindSource(spec.format));
  switch (format) {
    case SourceFormat::kFile:
      return ResolveFileSource(std::move(spec));
    case SourceFormat::kRate:
      return ResolveRateSource(std::move(spec));
    case SourceFormat::kSocket:
      return ResolveSocketSource(std::move(spec));
  }
  return UnknownFormat("source", spec.format, kLater);
}

}  // namespace tidemill::connectors
