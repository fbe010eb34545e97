#include "worker/rpc/messages.h"

#include <utility>

#include "common/base/error.h"
#include "proto/control.pb.h"

namespace tidemill::worker {

std::shared_ptr<const EpochTask> ReadRunEpoch(const proto::RunEpoch& message, uint64_t term) {
  auto task = std::make_shared<EpochTask>();
  const proto::EpochPlan& plan = message.plan();
  task->id = {message.job(), plan.epoch(), message.attempt()};
  task->term = term;
  task->committed_epoch = message.committed_epoch();
  task->committed_attempt = message.committed_attempt();
  for (const proto::SourceInput& input : plan.sources()) {
    auto& splits = task->splits.emplace_back();
    for (const proto::Split& split : input.splits()) {
      splits.push_back({split.path(), split.begin(), split.end(), split.file_size(),
                        split.mtime_us(), split.payload()});
    }
  }
  task->lanes = plan.lanes();
  task->info.epoch_time_us = plan.epoch_time_us();
  task->info.keeps_builds = message.keeps_builds();
  for (const proto::OperatorWatermark& entry : plan.operators()) {
    OperatorWatermark& watermark = task->info.watermarks[entry.operator_id()];
    watermark.late_us = entry.late_ms() * 1000;
    watermark.eviction_us = entry.eviction_ms() * 1000;
    if (entry.has_left_state_ms()) watermark.left_state_us = entry.left_state_ms() * 1000;
    if (entry.has_right_state_ms()) watermark.right_state_us = entry.right_state_ms() * 1000;
  }
  task->seed = plan.seed();
  return task;
}

std::shared_ptr<const Assignment> ReadAssignment(const proto::Assign& message) {
  auto assignment = std::make_shared<Assignment>();
  assignment->version = message.version();
  for (const proto::SlotAddress& slot : message.slots())
    assignment->slots.push_back({slot.worker(), slot.slot()});
  assignment->key_group_slot.assign(message.key_group_slot().begin(),
                                    message.key_group_slot().end());
  return assignment;
}

std::vector<SharedFile> ReadSharedFiles(const proto::Deploy& message) {
  std::vector<SharedFile> files;
  for (const proto::SharedFile& file : message.shared_files())
    files.push_back({file.purpose(), file.path(), file.checksum()});
  return files;
}

state::Snapshot ReadSnapshot(const proto::Snapshot& message) {
  state::Snapshot snapshot;
  snapshot.id = message.id();
  snapshot.epoch = message.epoch();
  snapshot.key_groups.assign(message.key_groups().begin(), message.key_groups().end());
  for (const proto::SnapshotFile& file : message.files()) {
    snapshot.files.push_back({file.name(), file.local_name(), file.size(), file.checksum()});
  }
  return snapshot;
}

state::Extent ReadExtent(const proto::Extent& message) {
  return {message.file(),   message.offset(),
          message.length(), message.checksum(),
          message.epoch(),  {message.key_groups().begin(), message.key_groups().end()}};
}

void WriteSnapshot(const state::Snapshot& snapshot, proto::Snapshot* message) {
  message->set_id(snapshot.id);
  message->set_epoch(snapshot.epoch);
  message->mutable_key_groups()->Add(snapshot.key_groups.begin(), snapshot.key_groups.end());
  for (const state::SnapshotFile& file : snapshot.files) {
    proto::SnapshotFile* entry = message->add_files();
    entry->set_name(file.name);
    entry->set_local_name(file.local_name);
    entry->set_size(file.size);
    entry->set_checksum(file.checksum);
  }
}

void WriteExtent(const state::Extent& extent, proto::Extent* message) {
  message->set_file(extent.file);
  message->set_offset(extent.offset);
  message->set_length(extent.length);
  message->set_checksum(extent.checksum);
  message->set_epoch(extent.epoch);
  message->mutable_key_groups()->Add(extent.key_groups.begin(), extent.key_groups.end());
}

void WriteStagedOutput(connectors::StagedOutput output, proto::StagedOutput* message) {
  for (connectors::StagedFile& file : output.files) {
    proto::StagedFile* entry = message->add_files();
    entry->set_staged_name(std::move(file.staged_name));
    entry->set_final_suffix(std::move(file.final_suffix));
    entry->set_size(file.size);
    entry->set_rows(file.rows);
    entry->set_checksum(file.checksum);
  }
  message->set_rows(std::move(output.rows));
  message->set_num_rows(output.num_rows);
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
  if (detail->span) {
    message->set_span_begin(detail->span->begin);
    message->set_span_end(detail->span->end);
  }
}

arrow::Status ReadError(const proto::Error& message) {
  const auto kind = static_cast<ErrorKind>(message.kind() == 0 ? 1 : message.kind());
  const arrow::Status status = MakeError(kind, message.error_class(), message.message());
  return message.hint().empty() ? status : WithHint(status, message.hint());
}

void AddSlotReport(const SlotReport& report, proto::Prepared* prepared) {
  for (size_t source = 0; source < report.source_rows.size(); ++source) {
    prepared->set_source_rows(source, prepared->source_rows(source) + report.source_rows[source]);
  }
  prepared->set_output_rows(prepared->output_rows() + report.output_rows);
  for (size_t i = 0; i < report.operators.size(); ++i) {
    const OperatorReport& from = report.operators[i];
    if (prepared->operators_size() <= static_cast<int>(i)) prepared->add_operators();
    proto::OperatorProgress* to = prepared->mutable_operators(static_cast<int>(i));
    to->set_operator_id(from.operator_id);
    to->set_name(from.name);
    to->set_rows_total(to->rows_total() + from.rows_total);
    to->set_rows_updated(to->rows_updated() + from.rows_updated);
    to->set_memory_bytes(to->memory_bytes() + from.memory_bytes);
    to->set_rows_removed(to->rows_removed() + from.rows_removed);
    to->set_rows_dropped_late(to->rows_dropped_late() + from.rows_dropped_late);
    for (const auto& [name, value] : from.custom) (*to->mutable_custom())[name] += value;
  }
}

void WriteEventTime(int watermark, const EventTimeStats& stats, proto::EventTimeStats* message) {
  message->set_watermark(watermark);
  message->set_count(stats.count);
  message->set_min_ms(stats.min_ms);
  message->set_max_ms(stats.max_ms);
  message->set_sum_ms(stats.sum_ms);
}

int64_t ColdBytesOf(const proto::OperatorProgress& op) {
  const auto found = op.custom().find("coldFilterBytes");
  return found == op.custom().end() ? 0 : found->second;
}

}  // namespace tidemill::worker
