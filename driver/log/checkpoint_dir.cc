#include "driver/log/checkpoint_dir.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/base/logging.h"
#include "driver/log/checked_file.h"
#include "driver/plan/stages/plan_writer.h"
#include "proto/log.pb.h"

namespace tidemill::driver {

namespace {

constexpr uint32_t kFormatVersion = 1;
constexpr uint32_t kHashVersion = 1;
constexpr uint32_t kRowCodecVersion = 1;
constexpr std::string_view kNonce = " nonce=";  // between a holder and what makes it unique

std::string SerializeDeterministically(const google::protobuf::MessageLite& message) {
  std::string text;
  {
    google::protobuf::io::StringOutputStream stream(&text);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return text;
}

arrow::Status Corrupt(const std::string& path, const std::string& expected,
                      const std::string& actual) {
  return WithHint(MakeError(ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT",
                            fmt::format("a file of the checkpoint is damaged: file={} offset=0 "
                                        "expected={} actual={}",
                                        path, expected, actual)),
                  "put the file back from a copy of the checkpoint");
}

template <class Value>
arrow::Status CheckSame(std::string_view name, const Value& checkpoint, const Value& job) {
  if (checkpoint == job) return arrow::Status::OK();
  return WithHint(
      MakeError(ErrorKind::kCorrupt, "CHECKPOINT_INCOMPATIBLE",
                fmt::format("the checkpoint was begun with another value of {}, which cannot "
                            "change: checkpoint={} job={}",
                            name, checkpoint, job)),
      fmt::format("set {} to {}, or begin a new checkpoint", name, checkpoint));
}

FrozenSettings SettingsOf(const proto::JobFile& file) {
  return {.key_groups = file.key_groups(),
          .sink_shards = file.sink_shards(),
          .time_zone = file.time_zone(),
          .ansi = file.ansi(),
          .watermark_policy = file.watermark_policy(),
          .schemas = {file.schemas().begin(), file.schemas().end()}};
}

arrow::Status CheckSettings(const FrozenSettings& checkpoint, const FrozenSettings& job) {
  ARROW_RETURN_NOT_OK(CheckSame("state.key_groups", checkpoint.key_groups, job.key_groups));
  ARROW_RETURN_NOT_OK(CheckSame("sink.shards", checkpoint.sink_shards, job.sink_shards));
  ARROW_RETURN_NOT_OK(CheckSame("timeZone", checkpoint.time_zone, job.time_zone));
  ARROW_RETURN_NOT_OK(CheckSame("ansi", checkpoint.ansi, job.ansi));
  ARROW_RETURN_NOT_OK(
      CheckSame("watermark policy", checkpoint.watermark_policy, job.watermark_policy));
  for (const auto& [source, schema] : checkpoint.schemas) {
    const auto found = job.schemas.find(source);
    if (found == job.schemas.end()) continue;
    ARROW_RETURN_NOT_OK(
        CheckSame(fmt::format("the inferred schema of {}", source), schema, found->second));
  }
  return arrow::Status::OK();
}

// The file `job`, or nothing.
arrow::Result<std::optional<proto::JobFile>> LoadJobFile(FileSystem* fs, const std::string& path) {
  auto contents = ReadChecked(fs, path);
  if (!contents.ok()) {
    if (KindOf(contents.status()) == ErrorKind::kNotFound) return std::nullopt;
    return contents.status();
  }
  proto::JobFile file;
  if (!file.ParseFromString(*contents)) return Corrupt(path, "a job", "unreadable bytes");
  if (file.format_version() != kFormatVersion || file.hash_version() != kHashVersion ||
      file.row_codec_version() != kRowCodecVersion) {
    return MakeError(
        ErrorKind::kCorrupt, "CHECKPOINT_INCOMPATIBLE",
        fmt::format("the checkpoint has a format that this version does not read: "
                    "file={} format={} hash={} rows={}",
                    path, file.format_version(), file.hash_version(), file.row_codec_version()));
  }
  return file;
}

// A directory without `job` must hold nothing of a checkpoint, ours or Spark's.
arrow::Status CheckFresh(FileSystem* fs, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> entries, fs->List(path));
  for (const FileInfo& entry : entries) {
    const std::string name = BaseName(entry.path);
    if (name == "log" || name == "state" || name == "plan" || name == "term") {
      return WithHint(
          MakeError(ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT",
                    fmt::format("the checkpoint has lost its file `job`: file={} offset=0 "
                                "expected=present actual=missing",
                                JoinPath(path, "job"))),
          "put the file back from a copy of the checkpoint, or use a new directory");
    }
    if (name == "offsets" || name == "commits") {
      return MakeError(ErrorKind::kCorrupt, "CHECKPOINT_INCOMPATIBLE",
                       fmt::format("the directory holds a checkpoint of Spark, which is not read: "
                                   "path={}",
                                   path));
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::string> CreateJobFile(const CheckpointDir::Options& options) {
  ARROW_RETURN_NOT_OK(CheckFresh(options.fs, options.path));
  proto::JobFile file;
  file.set_job_uuid(options.job_uuid.empty() ? NewUuid(options.random) : options.job_uuid);
  file.set_format_version(kFormatVersion);
  file.set_key_groups(options.settings.key_groups);
  file.set_sink_shards(options.settings.sink_shards);
  file.set_hash_version(kHashVersion);
  file.set_row_codec_version(kRowCodecVersion);
  file.set_time_zone(options.settings.time_zone);
  file.set_ansi(options.settings.ansi);
  file.set_watermark_policy(options.settings.watermark_policy);
  file.mutable_schemas()->insert(options.settings.schemas.begin(), options.settings.schemas.end());
  ARROW_RETURN_NOT_OK(PublishChecked(options.fs, JoinPath(options.path, "job"),
                                     SerializeDeterministically(file), options.is_durable));
  return file.job_uuid();
}

arrow::Status MakeDirectories(const CheckpointDir::Options& options) {
  for (const char* name : {"plan", "term", "log", "state"}) {
    ARROW_RETURN_NOT_OK(options.fs->CreateDirectories(JoinPath(options.path, name)));
  }
  if (!options.is_durable) return arrow::Status::OK();
  // Also where an earlier start made them: it may have died before this.
  ARROW_RETURN_NOT_OK(options.fs->SyncDirectory(options.path));
  return options.fs->SyncDirectory(ParentPath(options.path));
}

arrow::Result<std::unique_ptr<FileLock>> TakeLock(const CheckpointDir::Options& options) {
  const std::string path = JoinPath(options.path, "lock");
  auto locked = options.fs->Lock(path, options.holder);
  if (locked.ok() || KindOf(locked.status()) != ErrorKind::kConflict || !options.outranks) {
    return locked;
  }
  ARROW_ASSIGN_OR_RAISE(const std::string holder, ReadFile(options.fs, path));
  if (!options.outranks(holder)) return locked;
  // The old holder keeps its lock on a file that has no name any more.
  LogWarn("checkpoint_lock_replaced").With("path", path).With("holder", holder);
  ARROW_RETURN_NOT_OK(options.fs->Remove(path));
  return options.fs->Lock(path, options.holder);
}

// What starts left that died while they created the file `job`.
arrow::Status RemoveAbandonedJobFiles(const CheckpointDir::Options& options) {
  ARROW_ASSIGN_OR_RAISE(const auto entries, options.fs->List(options.path));
  for (const FileInfo& entry : entries) {
    const std::string name = BaseName(entry.path);
    if (!name.starts_with("job.") || !name.ends_with(".tmp")) continue;
    ARROW_RETURN_NOT_OK(options.fs->Remove(entry.path));
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::optional<FrozenSettings>> ReadFrozenSettings(FileSystem* fs,
                                                                const std::string& checkpoint) {
  ARROW_ASSIGN_OR_RAISE(auto file, LoadJobFile(fs, JoinPath(checkpoint, "job")));
  if (!file.has_value()) return std::nullopt;
  return SettingsOf(*file);
}

arrow::Result<std::optional<std::string>> ReadJobUuid(FileSystem* fs,
                                                      const std::string& checkpoint) {
  ARROW_ASSIGN_OR_RAISE(auto file, LoadJobFile(fs, JoinPath(checkpoint, "job")));
  if (!file.has_value()) return std::nullopt;
  return file->job_uuid();
}

arrow::Result<std::unique_ptr<CheckpointDir>> CheckpointDir::Open(Options options) {
  FileSystem* fs = options.fs;
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(options.path));
  auto locked = TakeLock(options);
  if (!locked.ok()) {
    if (KindOf(locked.status()) != ErrorKind::kConflict) return locked.status();
    return MakeError(ErrorKind::kConflict, "CHECKPOINT_IN_USE",
                     fmt::format("another process runs a job on this checkpoint: {}",
                                 locked.status().message()));
  }
  ARROW_ASSIGN_OR_RAISE(auto file, LoadJobFile(fs, JoinPath(options.path, "job")));
  std::string job_uuid;
  if (file.has_value()) {
    ARROW_RETURN_NOT_OK(CheckSettings(SettingsOf(*file), options.settings));
    job_uuid = file->job_uuid();
  } else {
    ARROW_ASSIGN_OR_RAISE(job_uuid, CreateJobFile(options));
  }
  ARROW_RETURN_NOT_OK(MakeDirectories(options));
  // The nonce makes the file a proof for workers that they see this checkpoint and no other.
  const std::string holder = fmt::format("{}{}{}", options.holder, kNonce, NewUuid(options.random));
  const auto check_right = [&options] {
    return options.check_right ? options.check_right() : arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(check_right());
  ARROW_ASSIGN_OR_RAISE(Term term, Term::Take(fs, options.path, holder, options.is_durable));
  // Who lost the right before the term was there, but took it after whoever has the right now, is
  // stopped here: nothing was done under the term, and who finds itself fenced by it may go on with
  // a newer one.
  ARROW_RETURN_NOT_OK(check_right());
  ARROW_RETURN_NOT_OK(RemoveAbandonedJobFiles(options));
  return std::unique_ptr<CheckpointDir>(new CheckpointDir(std::move(options), *std::move(locked),
                                                          std::move(job_uuid), std::move(term)));
}

CheckpointDir::CheckpointDir(Options options, std::unique_ptr<FileLock> lock, std::string job_uuid,
                             Term term)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      job_uuid_(std::move(job_uuid)),
      term_(std::move(term)) {}

std::string_view CheckpointDir::HolderOf(std::string_view term_contents) {
  return term_contents.substr(0, term_contents.rfind(kNonce));
}

std::string CheckpointDir::PlanFileName(uint64_t fingerprint) {
  return fmt::format("plan/{}", HexOf(fingerprint));
}

arrow::Status CheckpointDir::StorePlan(const proto::PhysicalPlan& plan) {
  const std::string path = JoinPath(options_.path, PlanFileName(FingerprintOf(plan)));
  if (options_.fs->Stat(path).ok()) return arrow::Status::OK();
  return WithContext(
      PublishChecked(options_.fs, path, SerializeDeterministically(plan), options_.is_durable),
      "store the plan in the checkpoint");
}

arrow::Result<proto::PhysicalPlan> CheckpointDir::LoadPlan(uint64_t fingerprint) const {
  const std::string path = JoinPath(options_.path, PlanFileName(fingerprint));
  auto contents = ReadChecked(options_.fs, path);
  if (!contents.ok()) {
    if (KindOf(contents.status()) != ErrorKind::kNotFound) return contents.status();
    return Corrupt(path, "present", "missing");
  }
  proto::PhysicalPlan plan;
  if (!plan.ParseFromString(*contents)) return Corrupt(path, "a plan", "unreadable bytes");
  if (FingerprintOf(plan) != fingerprint) {
    return Corrupt(path, HexOf(fingerprint), HexOf(FingerprintOf(plan)));
  }
  return plan;
}

arrow::Result<std::vector<std::string>> CheckpointDir::ListFiles(const std::string& dir) const {
  std::vector<std::string> files;
  std::vector<std::string> left = {dir};
  while (!left.empty()) {
    const std::string next = std::move(left.back());
    left.pop_back();
    ARROW_ASSIGN_OR_RAISE(auto entries, options_.fs->List(JoinPath(options_.path, next)));
    for (const FileInfo& entry : entries) {
      std::string name = JoinPath(next, BaseName(entry.path));
      (entry.is_directory ? left : files).push_back(std::move(name));
    }
  }
  return files;
}

}  // namespace tidemill::driver
