#include "driver/spec/job_spec.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "common/fs/file_system.h"
#include "driver/spec/job_reader.h"
#include "driver/spec/job_values.h"
#include "driver/spec/script/script.h"
#include "driver/spec/text_pieces.h"
#include "driver/spec/yaml_node.h"

namespace tidemill::driver {

namespace {

constexpr int64_t kMaxBytes = 1 << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The error with another span; only of errors that are not located yet.
arrow::Status MoveSpan(const arrow::Status& status, Span span) {
  const ErrorDetail* detail = DetailOf(status);
  const arrow::Status moved = MakeError(KindOf(status), ErrorClassOf(status), status.message(),
                                        span, detail == nullptr ? "" : detail->hint);
  return detail == nullptr ? moved : WithPlace(moved, detail->place);
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
  if (std::filesystem::path(file).extension() == ".sql") {
    ARROW_ASSIGN_OR_RAISE(Script script, ReadScript(body, file, directory, overrides));
    ARROW_RETURN_NOT_OK(RequireJobsOnly(script, body, file));
    return std::move(script.jobs);
  }
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
  arrow::Result<std::string> text = ReadSpecText(path);
  if (!text.ok()) return WithContext(text.status(), fmt::format("read {}", path));
  ARROW_ASSIGN_OR_RAISE(const std::string directory, CurrentDirectory());
  return ReadJobText(*text, path, directory, overrides);
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
