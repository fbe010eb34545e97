#include "connectors/file/file_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "connectors/file/compression.h"
#include "connectors/file/file_listing.h"

namespace tidemill::connectors {

namespace {

constexpr std::string_view kSnapshotHeader = "file-source 1\n";
constexpr double kDiscardRatio = 0.2;  // Spark's discardCachedInputRatio
constexpr std::chrono::seconds kSlowListing{2};
constexpr int64_t kOpenCostBytes = int64_t{4} << 20;  // Spark's openCostInBytes

}  // namespace

arrow::Result<std::unique_ptr<SourceDriver>> FileSourceDriver::Make(
    const SourceSpec& spec, const SourceDriverContext& context) {
  ARROW_ASSIGN_OR_RAISE(FileSourceOptions options, ParseFileSourceOptions(spec));
  std::unique_ptr<FileSourceDriver> driver(new FileSourceDriver(std::move(options), context));
  // A wrong path, or a file that cannot be read, is told before anything starts.
  ARROW_ASSIGN_OR_RAISE(auto files, driver->ListNew());
  if (spec.is_streaming) driver->Watch();
  if (driver->options_.cut == FileSourceOptions::Cut::kRanges) return driver;
  for (const FileInfo& file : files) ARROW_RETURN_NOT_OK(CompressionOf(file.path).status());
  return driver;
}

FileSourceDriver::FileSourceDriver(FileSourceOptions options, SourceDriverContext context)
    : options_(std::move(options)),
      context_(std::move(context)),
      seen_(options_.max_file_age_us, options_.file_name_only) {}

void FileSourceDriver::Watch() {
  const bool is_one_directory = !options_.is_recursive && !HasGlob(options_.path);
  if (!context_.wake || context_.fs != FileSystem::Local() || !is_one_directory) return;
  const auto info = context_.fs->Stat(options_.path);
  if (!info.ok() || !info->is_directory) return;
  auto watch = WatchDirectory(options_.path, [wake = context_.wake](std::string_view name) {
    if (name.empty() || !IsHidden(name)) wake();
  });
  if (watch.ok()) {
    watch_ = *std::move(watch);
  } else {
    LogInfo("source_not_watched")
        .With("path", options_.path)
        .With("error", watch.status().ToString());
  }
}

arrow::Result<std::vector<FileInfo>> FileSourceDriver::ListNew() {
  const SteadyTime begin = context_.clock->SteadyNow();
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> files,
                        ListInputFiles(context_.fs, {.path = options_.path,
                                                     .name_filter = options_.path_glob_filter,
                                                     .is_recursive = options_.is_recursive}));
  const auto elapsed = context_.clock->SteadyNow() - begin;
  if (elapsed > kSlowListing) {
    LogWarn("source_listing_slow")
        .With("path", options_.path)
        .With("files", files.size())
        .With("elapsed_ms", std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
  }
  files.erase(std::remove_if(files.begin(), files.end(),
                             [&](const FileInfo& f) { return !seen_.IsNew(f.path, f.mtime_us); }),
              files.end());
  std::sort(files.begin(), files.end(), [&](const FileInfo& a, const FileInfo& b) {
    if (a.mtime_us != b.mtime_us) return (a.mtime_us < b.mtime_us) != options_.latest_first;
    return a.path < b.path;
  });
  return files;
}

size_t FileSourceDriver::CountWithinLimits(const std::vector<FileInfo>& files,
                                           ReadLimit limit) const {
  if (limit.everything || files.empty()) return files.size();
  if (options_.max_files_per_trigger) {
    return std::min<size_t>(files.size(), *options_.max_files_per_trigger);
  }
  const int64_t most = options_.max_bytes_per_trigger.value_or(limit.bytes);
  int64_t total = files[0].size;
  size_t count = 1;
  while (count < files.size() && files[count].size <= most - total) {
    total += files[count++].size;
  }
  return count;
}

void FileSourceDriver::KeepRest(std::vector<FileInfo> files, size_t taken) {
  files.erase(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(taken));
  unread_ = std::move(files);
  if (is_end_fixed_ || unread_.empty()) return;
  bool is_worth_keeping = !options_.latest_first;
  if (options_.max_files_per_trigger) {
    is_worth_keeping &= static_cast<double>(unread_.size()) >=
                        kDiscardRatio * static_cast<double>(*options_.max_files_per_trigger);
  } else if (options_.max_bytes_per_trigger) {
    double bytes = 0;
    for (const FileInfo& file : unread_) bytes += static_cast<double>(file.size);
    is_worth_keeping &=
        bytes >= kDiscardRatio * static_cast<double>(*options_.max_bytes_per_trigger);
  }
  if (!is_worth_keeping || options_.max_cached_files == 0) {
    unread_.clear();
  } else if (unread_.size() > static_cast<size_t>(options_.max_cached_files)) {
    unread_.resize(options_.max_cached_files);
  }
}

arrow::Status FileSourceDriver::CutFile(const FileInfo& file, int64_t split_bytes,
                                        std::vector<Split>* splits) const {
  bool is_whole = options_.cut == FileSourceOptions::Cut::kNever;
  if (options_.cut == FileSourceOptions::Cut::kLines) {
    ARROW_ASSIGN_OR_RAISE(const auto compression, CompressionOf(file.path));
    is_whole = compression != arrow::Compression::UNCOMPRESSED;
  }
  // Pieces of one size: lanes take them in turn, and a small last one would leave a lane idle.
  const int64_t pieces = is_whole ? 1 : (file.size + split_bytes - 1) / split_bytes;
  const int64_t step =
      pieces <= 1 ? std::max<int64_t>(file.size, 1) : (file.size + pieces - 1) / pieces;
  int64_t begin = 0;
  do {
    splits->push_back({.path = file.path,
                       .begin = begin,
                       .end = std::min(begin + step, file.size),
                       .file_size = file.size,
                       .mtime_us = file.mtime_us});
    begin += step;
  } while (begin < file.size);
  return arrow::Status::OK();
}

arrow::Result<EpochInput> FileSourceDriver::Next(ReadLimit limit) {
  std::vector<FileInfo> files = std::move(unread_);
  unread_.clear();
  if (files.empty() && !is_end_fixed_) {
    ARROW_ASSIGN_OR_RAISE(files, ListNew());
  }
  const size_t count = CountWithinLimits(files, limit);
  // As Spark's maxSplitBytes: pieces for every core, but none smaller than opening a file costs.
  int64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += files[i].size;
  const int64_t split_bytes = std::min(
      options_.split_bytes, std::max(kOpenCostBytes, bytes / std::max(limit.splits, 1) + 1));
  EpochInput input{.start_offset = PositionText()};
  for (size_t i = 0; i < count; ++i) {
    // Under fileNameOnly one listing may hold a name twice.
    if (!seen_.IsNew(files[i].path, files[i].mtime_us)) continue;
    ARROW_RETURN_NOT_OK(CutFile(files[i], split_bytes, &input.splits));
    seen_.Add(files[i].path, files[i].mtime_us);
  }
  seen_.Purge();
  int64_t outstanding = 0;
  for (size_t i = count; i < files.size(); ++i) outstanding += files[i].size;
  input.metrics = {{"numBytesOutstanding", outstanding},
                   {"numFilesOutstanding", static_cast<int64_t>(files.size() - count)}};
  if (!input.splits.empty()) ++log_offset_;
  KeepRest(std::move(files), count);
  input.end_offset = PositionText();
  input.latest_offset = input.end_offset;
  return input;
}

arrow::Status FileSourceDriver::FixEnd() {
  ARROW_ASSIGN_OR_RAISE(unread_, ListNew());
  is_end_fixed_ = true;
  return arrow::Status::OK();
}

arrow::Status FileSourceDriver::Commit(const EpochInput& input) { return arrow::Status::OK(); }

std::string FileSourceDriver::Snapshot() const {
  return fmt::format("{}{}\n{}", kSnapshotHeader, log_offset_, seen_.Encode());
}

arrow::Status FileSourceDriver::Restore(std::string_view snapshot) {
  const size_t line_end = snapshot.find('\n', kSnapshotHeader.size());
  if (snapshot.substr(0, kSnapshotHeader.size()) != kSnapshotHeader ||
      line_end == std::string_view::npos) {
    return MakeError(ErrorKind::kCorrupt, "INVALID_SOURCE_SNAPSHOT",
                     fmt::format("file source: unknown snapshot format: path={}", options_.path));
  }
  const std::string_view offset =
      snapshot.substr(kSnapshotHeader.size(), line_end - kSnapshotHeader.size());
  ARROW_RETURN_NOT_OK(
      MoveTo(offset == "-1" ? std::string() : fmt::format("{{\"logOffset\":{}}}", offset)));
  return seen_.Decode(snapshot.substr(line_end + 1));
}

arrow::Result<std::vector<Split>> FileSourceDriver::Replay(const EpochInput& input) {
  for (const Split& split : input.splits) {
    if (split.begin == 0) seen_.Add(split.path, split.mtime_us);
  }
  seen_.Purge();
  ARROW_RETURN_NOT_OK(MoveTo(input.end_offset));
  return input.splits;
}

std::string FileSourceDriver::Description() const {
  return fmt::format("FileStreamSource[file:{}]", options_.path);
}

std::string FileSourceDriver::PositionText() const {
  return log_offset_ < 0 ? std::string() : fmt::format("{{\"logOffset\":{}}}", log_offset_);
}

arrow::Status FileSourceDriver::MoveTo(std::string_view position) {
  long long offset = -1;
  if (!position.empty() &&
      (std::sscanf(std::string(position).c_str(), "{\"logOffset\":%lld}", &offset) != 1 ||
       offset < 0)) {
    return MakeError(ErrorKind::kCorrupt, "INVALID_SOURCE_OFFSET",
                     fmt::format("file source: bad position: value={}", position));
  }
  log_offset_ = offset;
  return arrow::Status::OK();
}

}  // namespace tidemill::connectors
