#include "driver/spec/job_spec.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/fs/file_system.h"
#include "driver/spec/job_reader.h"
#include "driver/spec/text_pieces.h"
#include "driver/spec/yaml_node.h"

namespace tidemill::driver {

namespace {

constexpr int64_t kMaxBytes = 1 << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The error with another span; only of errors that are not located yet.
arrow::Status MoveSpan(const arrow::Status& status, Span span) {
  const ErrorDetail* detail = DetailOf(status);
  return MakeError(KindOf(status), ErrorClassOf(status), status.message(), span,
                   detail == nullptr ? "" : detail->hint);
}

// The place in the file of a span in a value that lies there in pieces.
Span SpanInFile(const std::vector<TextPiece>& pieces, Span span) {
  const int32_t begin = FileOffsetOf(pieces, span.begin);
  if (span.end <= span.begin) return {begin, begin};
  return {begin, FileOffsetOf(pieces, span.end - 1) + 1};
}

std::string StemOf(const std::string& path) { return std::filesystem::path(path).stem().string(); }

arrow::Result<std::string> ReadSpecText(const std::string& path) {
  FileSystem* fs = FileSystem::Local();
  ARROW_ASSIGN_OR_RAISE(const FileInfo info, fs->Stat(path));
  if (info.is_directory) {
    return MakeError(ErrorKind::kInvalid, "INVALID_SPECIFICATION.FILE",
                     "a job specification must be a file, not a directory");
  }
  if (info.size > kMaxBytes) {
    return MakeError(
        ErrorKind::kInvalid, "INVALID_SPECIFICATION.FILE",
        fmt::format("a job specification has at most {} bytes, got {}", kMaxBytes, info.size));
  }
  return ReadFile(fs, path);
}

}  // namespace

arrow::Result<std::vector<JobSpec>> ReadJobText(
    const std::string& text, const std::string& file, const std::string& directory,
    const std::map<std::string, std::string>& overrides) {
  const std::string body =
      text.substr(0, 3) == kByteOrderMark ? text.substr(kByteOrderMark.size()) : text;
  const auto read = [&]() -> arrow::Result<std::vector<JobSpec>> {
    ARROW_ASSIGN_OR_RAISE(const YamlNode root, ParseYaml(body));
    return JobReader(body, directory, overrides).ReadJobs(root, StemOf(file));
  };
  arrow::Result<std::vector<JobSpec>> jobs = read();
  if (!jobs.ok()) return WithSource(jobs.status(), file, body);
  for (JobSpec& job : *jobs) {
    job.file = file;
    job.text = body;
  }
  return jobs;
}

arrow::Result<std::vector<JobSpec>> ReadJobFile(
    const std::string& path, const std::map<std::string, std::string>& overrides) {
  if (std::filesystem::path(path).extension() == ".sql") {
    return WithHint(
        MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE.SQL_SCRIPT",
                  fmt::format("a job specification in SQL is not supported yet: file={}", path)),
        "write the job in YAML");
  }
  arrow::Result<std::string> text = ReadSpecText(path);
  if (!text.ok()) return WithContext(text.status(), fmt::format("read {}", path));
  std::error_code error;
  const std::filesystem::path directory = std::filesystem::current_path(error);
  if (error) {
    return MakeError(ErrorKind::kGeneral, "IO_ERROR",
                     fmt::format("the current directory cannot be read: {}", error.message()));
  }
  return ReadJobText(*text, path, directory.string(), overrides);
}

arrow::Status LocateInQuery(const JobSpec& spec, const arrow::Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  if (detail == nullptr || !detail->span || detail->location) return status;
  if (spec.query_place.pieces.empty()) {
    return WithSource(status, fmt::format("query of {}", spec.file), spec.query);
  }
  return LocateInSpec(spec, status, spec.query_place);
}

arrow::Status LocateInSpec(const JobSpec& spec, const arrow::Status& status,
                           const SpecPlace& place) {
  if (status.ok()) return status;
  const ErrorDetail* detail = DetailOf(status);
  if (detail != nullptr && detail->location) return status;
  Span span = place.span;
  if (detail != nullptr && detail->span && !place.pieces.empty()) {
    span = SpanInFile(place.pieces, *detail->span);
  }
  return WithSource(MoveSpan(status, span), spec.file, spec.text);
}

}  // namespace tidemill::driver
