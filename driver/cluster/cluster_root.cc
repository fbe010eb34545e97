#include "driver/cluster/cluster_root.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "driver/log/checked_file.h"
#include "driver/log/term.h"

namespace tidemill::driver {

namespace {

std::string TermPath(const std::string& root, uint64_t term) {
  return JoinPath(JoinPath(root, "term"), fmt::format("{}", term));
}

arrow::Status Corrupt(const std::string& path, std::string_view what) {
  return WithHint(
      MakeError(ErrorKind::kCorrupt, "ROOT_CORRUPT",
                fmt::format("a file of the cluster's root is damaged: file={} {}", path, what)),
      "put the file back from a copy, or remove it and submit the job again");
}

// The name of a job as a name of a directory: everything unusual as %XX.
std::string DirectoryNameOf(const std::string& job_name) {
  std::string name;
  for (const char c : job_name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                          (c == '.' && !name.empty());
    name += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return name;
}

arrow::Result<proto::RegisteredJob> LoadJob(FileSystem* fs, const std::string& path) {
  auto contents = ReadChecked(fs, path);
  if (!contents.ok()) {
    return KindOf(contents.status()) == ErrorKind::kCorrupt
               ? Corrupt(path, "rule: its contents have their checksum")
               : contents.status();
  }
  proto::RegisteredJob job;
  if (!job.ParseFromString(*contents) || job.id() != BaseName(path)) {
    return Corrupt(path, "rule: it holds the job of its name");
  }
  return job;
}

}  // namespace

arrow::Result<std::unique_ptr<ClusterRoot>> ClusterRoot::Open(Options options) {
  FileSystem* fs = options.fs;
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(JoinPath(options.path, "term")));
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(JoinPath(options.path, "jobs")));
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(JoinPath(options.path, "checkpoints")));
  ARROW_RETURN_NOT_OK(fs->SyncDirectory(options.path));
  ARROW_RETURN_NOT_OK(fs->SyncDirectory(ParentPath(options.path)));
  const auto term =
      Term::Take(fs, options.path, fmt::format("{} {}", options.listen, options.holder),
                 /*is_durable=*/true);
  if (!term.ok()) return WithContext(term.status(), "take a term of the cluster");
  return std::unique_ptr<ClusterRoot>(new ClusterRoot(std::move(options), term->number()));
}

ClusterRoot::ClusterRoot(Options options, uint64_t term)
    : options_(std::move(options)), term_(term) {}

std::string ClusterRoot::holder() const {
  return fmt::format("{} term={} root={}", options_.holder, term_, options_.path);
}

bool ClusterRoot::Outranks(std::string_view holder) const {
  constexpr std::string_view kTerm = " term=";
  const size_t at = holder.find(kTerm);
  if (at == std::string_view::npos) return false;
  uint64_t term = 0;
  const char* const end = holder.data() + holder.size();
  const auto [rest, error] = std::from_chars(holder.data() + at + kTerm.size(), end, term);
  if (error != std::errc()) return false;
  return term < term_ && std::string_view(rest, end - rest) == " root=" + options_.path;
}

arrow::Status ClusterRoot::CheckNewest() const {
  const std::string next = TermPath(options_.path, term_ + 1);
  const auto found = options_.fs->Stat(next);
  if (!found.ok()) {
    return KindOf(found.status()) == ErrorKind::kNotFound ? arrow::Status::OK() : found.status();
  }
  const auto holder = ReadFile(options_.fs, next);
  return MakeError(
      ErrorKind::kFenced, "FENCED",
      fmt::format("another driver has taken over the cluster: root={} term={} newer={} driver: {}",
                  options_.path, term_, term_ + 1, holder.ok() ? *holder : "unknown"));
}

arrow::Result<std::vector<proto::RegisteredJob>> ClusterRoot::LoadJobs() const {
  ARROW_ASSIGN_OR_RAISE(const auto entries, options_.fs->List(JoinPath(options_.path, "jobs")));
  std::vector<proto::RegisteredJob> jobs;
  for (const FileInfo& entry : entries) {
    // Ids have no dots; temporary names do.
    if (entry.is_directory || BaseName(entry.path).find('.') != std::string::npos) continue;
    ARROW_ASSIGN_OR_RAISE(proto::RegisteredJob job, LoadJob(options_.fs, entry.path));
    jobs.push_back(std::move(job));
  }
  std::stable_sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) {
    return a.info().submitted_us() < b.info().submitted_us();
  });
  return jobs;
}

arrow::Status ClusterRoot::StoreJob(const proto::RegisteredJob& job) {
  const std::string path = JoinPath(JoinPath(options_.path, "jobs"), job.id());
  ARROW_RETURN_NOT_OK(CheckNewest());
  const arrow::Status stored = ReplaceChecked(options_.fs, path, job.SerializeAsString());
  if (!stored.ok()) return WithContext(stored, "register the job");
  // A driver that has begun meanwhile may have read the jobs before this one was there.
  return CheckNewest();
}

arrow::Status ClusterRoot::RemoveJob(const std::string& id) {
  ARROW_RETURN_NOT_OK(CheckNewest());
  const std::string jobs = JoinPath(options_.path, "jobs");
  ARROW_RETURN_NOT_OK(options_.fs->Remove(JoinPath(jobs, id)));
  return options_.fs->SyncDirectory(jobs);
}

std::string ClusterRoot::CheckpointOf(const std::string& job_name) const {
  return JoinPath(JoinPath(options_.path, "checkpoints"), DirectoryNameOf(job_name));
}

}  // namespace tidemill::driver
