#include "tests/simulation/workload.h"

#include <fmt/format.h>

#include <sstream>
#include <utility>

#include "common/base/check.h"
#include "driver/job/plan_job.h"
#include "driver/log/log_reader.h"
#include "driver/log/log_state.h"

namespace tidemill::testing {

namespace {

constexpr char kCount[] = R"(
name: count
sources:
  lines: {format: text, path: /in, options: {maxFilesPerTrigger: 2}}
query: |
  SELECT word, count(*) AS n
  FROM (SELECT explode(split(value, ' ')) AS word FROM lines)
  GROUP BY word
sink: {format: json, path: /out/count}
outputMode: complete
checkpointLocation: /checkpoints/count
settings: {state.key_groups: 8, log.base_interval: 7}
)";

constexpr char kCopy[] = R"(
name: copy
sources:
  lines: {format: text, path: /in, options: {maxFilesPerTrigger: 2}}
query: SELECT value FROM lines
sink: {format: text, path: /out/copy}
checkpointLocation: /checkpoints/copy
settings: {state.key_groups: 8, log.base_interval: 7}
)";

// Planned once per process: plans do not depend on the seed.
driver::JobDefinition Plan(const char* text, const char* uuid) {
  VirtualTime time(0);
  MemoryDisk disk(&time);
  for (const char* dir : {"/", "/in"}) disk.MakeDirectory(dir);
  const auto fs = disk.Mount(nullptr);
  auto specs = driver::ReadJobText(text, "simulation.yaml", "/", {});
  TIDEMILL_CHECK(specs.ok());
  auto planned = driver::PlanJob(specs->front(), fs.get());
  TIDEMILL_CHECK(planned.ok());
  auto definition = driver::MakeDefinition(specs->front(), *planned);
  TIDEMILL_CHECK(definition.ok());
  definition->job_uuid = uuid;
  definition->polling_delay = std::chrono::milliseconds(40);
  return *std::move(definition);
}

std::map<std::string, int64_t> CountLines(const std::string& text) {
  std::map<std::string, int64_t> counts;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) ++counts[line];
  return counts;
}

// What is wrong in the log, or "" with what it says.
std::string ReadState(FileSystem* fs, const driver::JobDefinition& job, driver::LogState* state) {
  const auto log = driver::ReadLog(fs, job.checkpoint);
  if (!log.ok()) return log.status().ToString();
  for (const driver::LogEntry& entry : log->entries) {
    const arrow::Status applied = state->Apply(entry.record);
    if (!applied.ok()) return applied.ToString();
  }
  return state->open_plan().has_value() ? "an epoch is open" : "";
}

// What of `actual` is not in `expected`.
std::string Beyond(const std::map<std::string, int64_t>& actual,
                   const std::map<std::string, int64_t>& expected) {
  for (const auto& [line, count] : actual) {
    const auto found = expected.find(line);
    const int64_t wanted = found == expected.end() ? 0 : found->second;
    if (count > wanted) return fmt::format("'{}' {} times, want {}", line, count, wanted);
  }
  return "";
}

}  // namespace

Workload::Workload(MemoryDisk* disk, Jobs jobs) : disk_(disk), jobs_(jobs) {
  for (const char* dir : {"/", "/in", "/out", "/checkpoints", "/root"}) disk_->MakeDirectory(dir);
}

std::vector<driver::JobDefinition> Workload::Definitions() const {
  static const driver::JobDefinition count = Plan(kCount, "00000000-0000-4000-8000-000000000001");
  static const driver::JobDefinition copy = Plan(kCopy, "00000000-0000-4000-8000-000000000002");
  std::vector<driver::JobDefinition> definitions;
  if (jobs_ != Jobs::kCopy) definitions.push_back(count);
  if (jobs_ != Jobs::kCount) definitions.push_back(copy);
  return definitions;
}

void Workload::AddFile(Random* random) {
  const int64_t file = next_file_++;
  std::string text;
  const auto num_lines = static_cast<int>(1 + random->Next() % 6);
  for (int line = 0; line < num_lines; ++line) {
    std::string value = fmt::format("f{}.{}", file, line);
    ++words_[value];
    for (uint64_t word = random->Next() % 4; word > 0; --word) {
      const std::string name = fmt::format("w{}", random->Next() % 12);
      ++words_[name];
      value += " " + name;
    }
    ++lines_[value];
    text += value + "\n";
  }
  disk_->Put(fmt::format("/in/{:04}.txt", file), std::move(text));
}

std::map<std::string, int64_t> Workload::CopiedLines(FileSystem* fs) const {
  std::map<std::string, int64_t> lines;
  const auto files = fs->List("/out/copy");
  if (!files.ok()) return lines;
  for (const FileInfo& file : *files) {
    if (file.is_directory || !BaseName(file.path).starts_with("part-")) continue;
    const auto text = ReadFile(fs, file.path);
    if (!text.ok()) continue;
    for (const auto& [line, count] : CountLines(*text)) lines[line] += count;
  }
  return lines;
}

std::string Workload::Surplus(FileSystem* fs) const {
  if (jobs_ == Jobs::kCount) return "";
  const std::string problem = Beyond(CopiedLines(fs), lines_);
  return problem.empty() ? "" : "the copy has a line too often: " + problem;
}

std::string Workload::CountProblem(FileSystem* fs) const {
  std::map<std::string, int64_t> expected;
  for (const auto& [word, count] : words_) {
    expected[fmt::format(R"({{"word":"{}","n":{}}})", word, count)] = 1;
  }
  const auto text = ReadFile(fs, "/out/count/part-00000.json");
  const auto actual = text.ok() ? CountLines(*text) : std::map<std::string, int64_t>();
  const std::string missing = Beyond(expected, actual);
  if (!missing.empty()) return "the counts lack " + missing;
  const std::string surplus = Beyond(actual, expected);
  return surplus.empty() ? "" : "the counts have " + surplus;
}

std::string Workload::Difference(FileSystem* fs) const {
  if (jobs_ != Jobs::kCopy) {
    if (std::string problem = CountProblem(fs); !problem.empty()) return problem;
  }
  if (jobs_ == Jobs::kCount) return "";
  const auto copied = CopiedLines(fs);
  const std::string missing = Beyond(lines_, copied);
  if (!missing.empty()) return "the copy lacks " + missing;
  return Surplus(fs);
}

std::string Workload::LogProblem(FileSystem* fs) const {
  for (const driver::JobDefinition& job : Definitions()) {
    driver::LogState state(job.settings.key_groups);
    std::string problem = ReadState(fs, job, &state);
    if (!problem.empty()) return fmt::format("{}: {}", job.checkpoint, problem);
  }
  return "";
}

std::string Workload::CheckpointProblem(FileSystem* fs) const {
  for (const driver::JobDefinition& job : Definitions()) {
    std::string problem = CheckpointProblem(fs, job);
    if (!problem.empty()) return fmt::format("{}: {}", job.checkpoint, problem);
  }
  return "";
}

std::string Workload::CheckpointProblem(FileSystem* fs, const driver::JobDefinition& job) {
  driver::LogState state(job.settings.key_groups);
  if (std::string problem = ReadState(fs, job, &state); !problem.empty()) return problem;
  const auto files = fs->List(JoinPath(job.checkpoint, "state"));
  if (!files.ok()) return files.status().ToString();
  for (const FileInfo& file : *files) {
    if (!state.IsNeeded(JoinPath("state", BaseName(file.path)))) {
      return "nobody needs " + file.path;
    }
  }
  for (const char* dir : {"", "plan", "term", "log"}) {
    const auto entries = fs->List(*dir == 0 ? job.checkpoint : JoinPath(job.checkpoint, dir));
    if (!entries.ok()) return entries.status().ToString();
    for (const FileInfo& entry : *entries) {
      if (entry.path.ends_with(".tmp")) return "nobody needs " + entry.path;
    }
  }
  return "";
}

}  // namespace tidemill::testing
