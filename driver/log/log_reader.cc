#include "driver/log/log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "driver/log/log_frame.h"

namespace tidemill::driver {

namespace {

struct FileId {
  uint64_t term = 0;
  uint32_t sequence = 0;
  auto operator<=>(const FileId&) const =
      default;  // NOLINT(modernize-use-nullptr): not of pointers
};

template <class Int>
bool ParseNumber(std::string_view text, Int* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && std::to_string(*value) == text;
}

std::optional<FileId> ParseName(std::string_view name) {
  const size_t dot = name.find('.');
  FileId id;
  if (dot == std::string_view::npos || !ParseNumber(name.substr(0, dot), &id.term) ||
      !ParseNumber(name.substr(dot + 1), &id.sequence)) {
    return std::nullopt;
  }
  return id;
}

// A file whose frames are valid as far as they go; `text` owns what they point into.
struct LoadedFile {
  std::string name;
  std::string text;
  ParsedFrames parsed;
};

class Reader {
 public:
  Reader(FileSystem* fs, const std::string& checkpoint, LogPlace* damage)
      : fs_(fs), checkpoint_(checkpoint), damage_(damage) {}

  arrow::Result<LogContents> Read() {
    ARROW_ASSIGN_OR_RAISE(files_, ListLogFiles(fs_, checkpoint_));
    ARROW_ASSIGN_OR_RAISE(std::optional<LoadedFile> newest, FindNewest());
    if (!newest.has_value()) return std::move(contents_);
    contents_.accepted_length = newest->parsed.length;
    contents_.torn_bytes = static_cast<int64_t>(newest->text.size()) - newest->parsed.length;
    contents_.chain = newest->parsed.frames.back().checksum;
    std::vector<std::vector<LogEntry>> newest_first;
    LoadedFile file = *std::move(newest);
    while (true) {
      ARROW_ASSIGN_OR_RAISE(std::vector<LogEntry> entries, ParseEntries(file));
      const bool is_complete = entries[0].record.open().previous_file().empty() ||
                               (entries.size() > 1 && entries[1].record.has_base());
      const proto::OpenRecord open = entries[0].record.open();
      contents_.files.push_back(file.name);
      newest_first.push_back(std::move(entries));
      if (is_complete) break;
      ARROW_ASSIGN_OR_RAISE(file, LoadPrevious(open, newest_first.back()[0].place));
    }
    std::reverse(contents_.files.begin(), contents_.files.end());
    for (auto entries = newest_first.rbegin(); entries != newest_first.rend(); ++entries) {
      std::move(entries->begin(), entries->end(), std::back_inserter(contents_.entries));
    }
    for (const std::string& name : files_) {
      if (std::find(contents_.files.begin(), contents_.files.end(), name) ==
          contents_.files.end()) {
        contents_.others.push_back(name);
      }
    }
    return std::move(contents_);
  }

 private:
  arrow::Result<LoadedFile> Load(const std::string& name, std::optional<int64_t> length) {
    LoadedFile file{.name = name};
    ARROW_ASSIGN_OR_RAISE(file.text, ReadFile(fs_, JoinPath(checkpoint_, name)));
    if (length.has_value()) {
      const auto size = static_cast<int64_t>(file.text.size());
      if (size < *length) {
        return Corrupt({name, size}, "length", fmt::format(">={}", *length),
                       fmt::format("{}", size));
      }
      file.text.resize(*length);
    }
    file.parsed = ParseFrames(file.text);
    const auto& bad = file.parsed.bad;
    // A tail may be torn only where nobody has accepted it.
    if (bad.has_value() && (length.has_value() || !bad->is_at_end)) {
      return Corrupt({name, bad->offset}, bad->problem, bad->expected, bad->actual);
    }
    return file;
  }

  // A driver that crashed while it began its file leaves one without a record.
  arrow::Result<std::optional<LoadedFile>> FindNewest() {
    for (auto file = files_.rbegin(); file != files_.rend(); ++file) {
      ARROW_ASSIGN_OR_RAISE(LoadedFile loaded, Load(*file, std::nullopt));
      if (!loaded.parsed.frames.empty()) return loaded;
    }
    return std::nullopt;
  }

  arrow::Result<LoadedFile> LoadPrevious(const proto::OpenRecord& open, const LogPlace& place) {
    auto loaded = Load(open.previous_file(), open.previous_length());
    if (!loaded.ok() && KindOf(loaded.status()) == ErrorKind::kNotFound) {
      return Corrupt(place, "previous file", open.previous_file(), "missing");
    }
    ARROW_ASSIGN_OR_RAISE(LoadedFile file, std::move(loaded));
    const uint64_t chain = file.parsed.frames.empty() ? 0 : file.parsed.frames.back().checksum;
    if (file.parsed.frames.empty() || chain != open.previous_hash()) {
      return Corrupt({file.name, open.previous_length()}, "chain", HexOf(open.previous_hash()),
                     HexOf(chain));
    }
    return file;
  }

  arrow::Result<std::vector<LogEntry>> ParseEntries(const LoadedFile& file) {
    std::vector<LogEntry> entries;
    for (const Frame& frame : file.parsed.frames) {
      LogEntry entry{.place = {file.name, frame.offset}, .checksum = frame.checksum};
      if (!entry.record.ParseFromArray(frame.payload.data(),
                                       static_cast<int>(frame.payload.size()))) {
        return Corrupt(entry.place, "record", "a LogRecord", "unreadable bytes");
      }
      if (entry.record.record_case() == proto::LogRecord::RECORD_NOT_SET) {
        return Corrupt(entry.place, "record type", "one that this version knows", "unknown");
      }
      if (entry.record.has_open() != entries.empty()) {
        return Corrupt(entry.place, "record type", "Open first in each file",
                       fmt::format("record {}", static_cast<int>(entry.record.record_case())));
      }
      entries.push_back(std::move(entry));
    }
    ARROW_RETURN_NOT_OK(CheckOpen(file, entries[0]));
    return entries;
  }

  arrow::Status CheckOpen(const LoadedFile& file, const LogEntry& entry) {
    const proto::OpenRecord& open = entry.record.open();
    const auto id = ParseName(BaseName(file.name));
    if (open.term() != id->term) {
      return Corrupt(entry.place, "term", fmt::format("{}", id->term),
                     fmt::format("{}", open.term()));
    }
    if (open.previous_hash() != file.parsed.frames[0].previous) {
      return Corrupt(entry.place, "chain", HexOf(open.previous_hash()),
                     HexOf(file.parsed.frames[0].previous));
    }
    if (open.format_version() != 1) {
      return MakeError(ErrorKind::kCorrupt, "CHECKPOINT_INCOMPATIBLE",
                       fmt::format("the log has a format that this version does not read: file={} "
                                   "format={} known=1",
                                   JoinPath(checkpoint_, file.name), open.format_version()));
    }
    // Only an older file may come before: a cycle would be read for ever.
    const auto previous = ParseName(BaseName(open.previous_file()));
    if (!open.previous_file().empty() && (!previous.has_value() || !(*previous < *id))) {
      return Corrupt(entry.place, "previous file", "an older file", open.previous_file());
    }
    return arrow::Status::OK();
  }

  arrow::Status Corrupt(const LogPlace& place, const std::string& problem,
                        const std::string& expected, const std::string& actual) {
    if (damage_ != nullptr) *damage_ = place;
    return CorruptLog(checkpoint_, place, problem, expected, actual);
  }

  FileSystem* const fs_;
  const std::string& checkpoint_;
  LogPlace* const damage_;
  std::vector<std::string> files_;
  LogContents contents_;
};

}  // namespace

arrow::Result<LogContents> ReadLog(FileSystem* fs, const std::string& checkpoint,
                                   LogPlace* damage) {
  return Reader(fs, checkpoint, damage).Read();
}

arrow::Result<std::vector<std::string>> ListLogFiles(FileSystem* fs,
                                                     const std::string& checkpoint) {
  auto listed = fs->List(JoinPath(checkpoint, "log"));
  if (!listed.ok()) {
    if (KindOf(listed.status()) == ErrorKind::kNotFound) return std::vector<std::string>();
    return listed.status();
  }
  std::vector<FileId> ids;
  for (const FileInfo& info : *listed) {
    if (const auto id = ParseName(BaseName(info.path)); id.has_value()) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  std::vector<std::string> names;
  names.reserve(ids.size());
  for (const FileId& id : ids) names.push_back(LogFileName(id.term, id.sequence));
  return names;
}

std::string LogFileName(uint64_t term, uint32_t sequence) {
  return fmt::format("log/{}.{}", term, sequence);
}

arrow::Status CorruptLog(const std::string& checkpoint, const LogPlace& place,
                         const std::string& problem, const std::string& expected,
                         const std::string& actual) {
  return WithHint(
      MakeError(
          ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT",
          fmt::format("the checkpoint's log is damaged: {}: file={} offset={} expected={} "
                      "actual={}",
                      problem, JoinPath(checkpoint, place.file), place.offset, expected, actual)),
      fmt::format("put the file back from a copy, or give up what follows in the log: `tidemill "
                  "checkpoint repair {}`",
                  checkpoint));
}

}  // namespace tidemill::driver
