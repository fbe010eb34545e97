#include "driver/rpc/messages.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/error.h"
#include "common/types/ddl.h"
#include "proto/control.pb.h"

namespace tidemill::driver {

namespace {

Options ReadOptions(const google::protobuf::Map<std::string, std::string>& map) {
  Options options;
  for (const auto& [key, value] : map) options.Set(key, value);
  return options;
}

connectors::OutputMode ReadOutputMode(proto::OutputMode mode) {
  switch (mode) {
    case proto::UPDATE:
      return connectors::OutputMode::kUpdate;
    case proto::COMPLETE:
      return connectors::OutputMode::kComplete;
    default:
      return connectors::OutputMode::kAppend;
  }
}

}  // namespace

void WriteSplits(const std::vector<connectors::Split>& splits, proto::SourceInput* message) {
  message->clear_splits();
  message->mutable_splits()->Reserve(static_cast<int>(splits.size()));
  for (const connectors::Split& split : splits) {
    proto::Split* entry = message->add_splits();
    entry->set_path(split.path);
    entry->set_begin(split.begin);
    entry->set_end(split.end);
    entry->set_file_size(split.file_size);
    entry->set_mtime_us(split.mtime_us);
    entry->set_payload(split.payload);
  }
}

void WriteInput(const connectors::EpochInput& input, proto::SourceInput* message) {
  WriteSplits(input.splits, message);
  message->set_start_offset(input.start_offset);
  message->set_end_offset(input.end_offset);
  message->set_latest_offset(input.latest_offset);
}

connectors::EpochInput ReadInput(const proto::SourceInput& message) {
  connectors::EpochInput input{.start_offset = message.start_offset(),
                               .end_offset = message.end_offset(),
                               .latest_offset = message.latest_offset()};
  input.splits.reserve(message.splits_size());
  for (const proto::Split& split : message.splits()) {
    input.splits.push_back({.path = split.path(),
                            .begin = split.begin(),
                            .end = split.end(),
                            .file_size = split.file_size(),
                            .mtime_us = split.mtime_us(),
                            .payload = split.payload()});
  }
  return input;
}

connectors::StagedOutput ReadStagedOutput(proto::StagedOutput&& message) {
  connectors::StagedOutput output;
  for (proto::StagedFile& file : *message.mutable_files()) {
    output.files.push_back({.staged_name = std::move(*file.mutable_staged_name()),
                            .final_suffix = std::move(*file.mutable_final_suffix()),
                            .size = file.size(),
                            .rows = file.rows(),
                            .checksum = file.checksum()});
  }
  output.rows = std::move(*message.mutable_rows());
  output.num_rows = message.num_rows();
  return output;
}

arrow::Status ReadError(const proto::Error& message) {
  const auto kind = static_cast<ErrorKind>(message.kind() == 0 ? 1 : message.kind());
  arrow::Status status = MakeError(kind, message.error_class(), message.message());
  if (message.span_begin() >= 0 && message.span_end() > message.span_begin()) {
    status = WithSpan(status, {message.span_begin(), message.span_end()});
  }
  if (message.has_location()) {
    const proto::ErrorLocation& from = message.location();
    const int columns = from.line_text().empty() ? std::numeric_limits<int>::max()
                                                 : static_cast<int>(from.line_text().size()) + 1;
    status = WithLocation(status, {.file = from.file(),
                                   .line = std::max(from.line(), 0),
                                   .column = std::clamp(from.column(), 1, columns),
                                   .width = std::clamp(from.width(), 1, columns),
                                   .line_text = from.line_text()});
  }
  if (!message.place().empty()) status = WithPlace(status, message.place());
  return message.hint().empty() ? status : WithHint(status, message.hint());
}

void WriteError(const arrow::Status& status, proto::Error* message) {
  message->set_kind(static_cast<int>(KindOf(status)));
  message->set_error_class(ErrorClassOf(status));
  message->set_message(status.message());
  message->set_span_begin(-1);
  message->set_span_end(-1);
  const ErrorDetail* detail = DetailOf(status);
  if (detail == nullptr) return;
  message->set_hint(detail->hint);
  message->set_place(detail->place);
  if (!detail->location) return;
  proto::ErrorLocation* location = message->mutable_location();
  location->set_file(detail->location->file);
  location->set_line(detail->location->line);
  location->set_column(detail->location->column);
  location->set_width(detail->location->width);
  location->set_line_text(detail->location->line_text);
}

arrow::Result<std::vector<connectors::SourceSpec>> SourceSpecsOf(const proto::PhysicalPlan& plan) {
  std::vector<connectors::SourceSpec> specs;
  for (const proto::Source& source : plan.sources()) {
    connectors::SourceSpec spec{.name = source.name(),
                                .format = source.format(),
                                .options = ReadOptions(source.options()),
                                .is_streaming = source.is_streaming()};
    ARROW_ASSIGN_OR_RAISE(spec.schema, ParseDdlSchema(source.schema()));
    specs.push_back(std::move(spec));
  }
  return specs;
}

arrow::Result<connectors::SinkSpec> SinkSpecOf(const proto::PhysicalPlan& plan,
                                               std::string job_uuid, std::string job_name) {
  connectors::SinkSpec spec{.format = plan.sink().format(),
                            .options = ReadOptions(plan.sink().options()),
                            .output_mode = ReadOutputMode(plan.output_mode()),
                            .job_uuid = std::move(job_uuid),
                            .job_name = std::move(job_name)};
  ARROW_ASSIGN_OR_RAISE(spec.schema, ParseDdlSchema(plan.sink().schema()));
  return spec;
}

}  // namespace tidemill::driver
