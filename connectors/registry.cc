// The formats that exist, by name: the functions of source.h and sink.h that begin with a format.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "connectors/console/console_sink.h"
#include "connectors/file/columnar/columnar_reader.h"
#include "connectors/file/csv/csv_file_options.h"
#include "connectors/file/csv/csv_inference.h"
#include "connectors/file/csv/csv_reader.h"
#include "connectors/file/file_options.h"
#include "connectors/file/file_source.h"
#include "connectors/file/json/json_inference.h"
#include "connectors/file/json/json_reader.h"
#include "connectors/file/sink/file_encoder.h"
#include "connectors/file/sink/file_sink.h"
#include "connectors/file/text_reader.h"
#include "connectors/memory/memory_sink.h"
#include "connectors/memory/memory_source.h"
#include "connectors/memory/values_source.h"
#include "connectors/noop/noop_sink.h"
#include "connectors/rate/rate_source.h"
#include "connectors/sink.h"
#include "connectors/socket/socket_source.h"
#include "connectors/source.h"

namespace tidemill::connectors {

namespace {

struct SourceFormat {
  std::string_view name;
  arrow::Result<SourceSpec> (*resolve)(SourceSpec);
  arrow::Result<std::unique_ptr<SourceDriver>> (*make_driver)(const SourceSpec&,
                                                              const SourceDriverContext&);
  arrow::Result<std::unique_ptr<SourceReader>> (*make_reader)(const SourceSpec&,
                                                              const std::vector<int>&);
  // Where a schema can be inferred.
  arrow::Result<std::shared_ptr<arrow::Schema>> (*infer)(const SourceSpec&, FileSystem*) = nullptr;
};

constexpr std::array<SourceFormat, 8> kSources = {{
    {"text", ResolveFileSource, FileSourceDriver::Make, MakeTextReader},
    {"json", ResolveFileSource, FileSourceDriver::Make, MakeJsonReader, InferJsonSchema},
    {"csv", ResolveCsvSource, FileSourceDriver::Make, MakeCsvReader, InferCsvSchema},
    {"parquet", ResolveColumnarSource, FileSourceDriver::Make, MakeColumnarReader,
     InferColumnarSchema},
    {"orc", ResolveColumnarSource, FileSourceDriver::Make, MakeColumnarReader, InferColumnarSchema},
    {"socket", ResolveSocketSource, MakeSocketSourceDriver, MakeSocketSourceReader},
    {"rate", ResolveRateSource, MakeRateSourceDriver, MakeRateSourceReader},
    {"rate-micro-batch", ResolveRateSource, MakeRateSourceDriver, MakeRateSourceReader},
}};
// Not for specifications, so no message suggests it.
constexpr SourceFormat kMemorySource = {"memory", ResolveMemorySource, MakeMemorySourceDriver,
                                        MakeMemorySourceReader};
constexpr SourceFormat kValuesSource = {"values", ResolveValuesSource, MakeValuesSourceDriver,
                                        MakeValuesSourceReader};

struct SinkFormat {
  std::string_view name;
  arrow::Result<SinkSpec> (*resolve)(SinkSpec);
  arrow::Result<std::unique_ptr<SinkDriver>> (*make_driver)(const SinkSpec&,
                                                            const SinkDriverContext&);
  arrow::Result<std::unique_ptr<SinkWriter>> (*make_writer)(const SinkSpec&, const WriterContext&);
};

constexpr std::array<SinkFormat, 8> kSinks = {{
    {"console", ResolveConsoleSink, MakeConsoleSinkDriver, MakeConsoleSinkWriter},
    {"memory", ResolveMemorySink, MakeMemorySinkDriver, MakeMemorySinkWriter},
    {"noop", ResolveNoopSink, MakeNoopSinkDriver, MakeNoopSinkWriter},
    {"text", ResolveFileSink, MakeFileSinkDriver, MakeFileSinkWriter},
    {"json", ResolveFileSink, MakeFileSinkDriver, MakeFileSinkWriter},
    {"csv", ResolveFileSink, MakeFileSinkDriver, MakeFileSinkWriter},
    {"parquet", ResolveFileSink, MakeFileSinkDriver, MakeFileSinkWriter},
    {"orc", ResolveFileSink, MakeFileSinkDriver, MakeFileSinkWriter},
}};

// Formats that Spark's users know and that do not exist here yet.
constexpr std::array<std::string_view, 5> kLater = {"avro", "kafka", "postgres", "foreach",
                                                    "foreachbatch"};

// Finds a format by its name, in lower case.
template <class Format, size_t N>
arrow::Result<const Format*> Find(std::string_view role, std::string* name,
                                  const std::array<Format, N>& formats) {
  const std::string given = *name;
  for (char& c : *name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::array<std::string_view, N> names;
  for (size_t i = 0; i < N; ++i) {
    if (formats[i].name == *name) return &formats[i];
    names[i] = formats[i].name;
  }
  const bool is_later = std::find(kLater.begin(), kLater.end(), *name) != kLater.end();
  const auto status = MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATA_SOURCE",
                                fmt::format("{} format is {}: format={}", role,
                                            is_later ? "not supported yet" : "unknown", given));
  const std::string nearest = is_later ? "" : NearestName(*name, names);
  if (!nearest.empty()) return WithHint(status, fmt::format("did you mean {}?", nearest));
  return WithHint(status, fmt::format("{} formats: {}", role, fmt::join(names, ", ")));
}

arrow::Result<const SourceFormat*> FindSource(std::string* name) {
  if (*name == kMemorySource.name) return &kMemorySource;
  if (*name == kValuesSource.name) return &kValuesSource;
  return Find("source", name, kSources);
}

}  // namespace

arrow::Result<SourceSpec> ResolveSource(SourceSpec spec) {
  ARROW_ASSIGN_OR_RAISE(const SourceFormat* format, FindSource(&spec.format));
  return format->resolve(std::move(spec));
}

arrow::Result<std::unique_ptr<SourceDriver>> MakeSourceDriver(
    const SourceSpec& spec,
    // By value in the contract: what keeps a context copies it, once.
    // NOLINTNEXTLINE(performance-unnecessary-value-param)
    SourceDriverContext context) {
  std::string name = spec.format;
  ARROW_ASSIGN_OR_RAISE(const SourceFormat* format, FindSource(&name));
  return format->make_driver(spec, context);
}

arrow::Result<std::unique_ptr<SourceReader>> MakeSourceReader(const SourceSpec& spec,
                                                              const std::vector<int>& columns) {
  std::string name = spec.format;
  ARROW_ASSIGN_OR_RAISE(const SourceFormat* format, FindSource(&name));
  return format->make_reader(spec, columns);
}

arrow::Result<std::shared_ptr<arrow::Schema>> InferSchema(const SourceSpec& spec, FileSystem* fs) {
  std::string name = spec.format;
  ARROW_ASSIGN_OR_RAISE(const SourceFormat* format, FindSource(&name));
  if (format->infer != nullptr) return format->infer(spec, fs);
  return MakeError(ErrorKind::kBug, "INTERNAL_ERROR",
                   fmt::format("format has no schema to infer: format={}", name));
}

arrow::Result<SinkSpec> ResolveSink(SinkSpec spec) {
  ARROW_ASSIGN_OR_RAISE(const SinkFormat* format, Find("sink", &spec.format, kSinks));
  return format->resolve(std::move(spec));
}

SinkNeeds NeedsOf(const SinkSpec& spec) {
  return {.single_writer = IsFileFormat(spec.format) && spec.output_mode == OutputMode::kComplete};
}

arrow::Result<std::unique_ptr<SinkDriver>> MakeSinkDriver(
    const SinkSpec& spec,
    // By value in the contract: what keeps a context copies it, once.
    // NOLINTNEXTLINE(performance-unnecessary-value-param)
    SinkDriverContext context) {
  std::string name = spec.format;
  ARROW_ASSIGN_OR_RAISE(const SinkFormat* format, Find("sink", &name, kSinks));
  return format->make_driver(spec, context);
}

arrow::Result<std::unique_ptr<SinkWriter>> MakeSinkWriter(
    const SinkSpec& spec,
    // By value in the contract: what keeps a context copies it, once.
    // NOLINTNEXTLINE(performance-unnecessary-value-param)
    WriterContext context) {
  std::string name = spec.format;
  ARROW_ASSIGN_OR_RAISE(const SinkFormat* format, Find("sink", &name, kSinks));
  return format->make_writer(spec, context);
}

}  // namespace tidemill::connectors
