// Damages a small checkpoint, one byte or one cut at a time, and restarts the job on it in this
// process: either the damage is reported as corruption, or the result is right. Every byte and
// every length of every file, or a sample of TIDEMILL_CORRUPTION_TRIALS (seed: TIDEMILL_SEED,
// printed).

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <random>
#include <sstream>

#include "common/base/error.h"
#include "deploy/embedded_engine.h"
#include "driver/job/plan_job.h"
#include "proto/plan.pb.h"

namespace tidemill::testing {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Spit(const fs::path& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}

struct Damage {
  fs::path file;  // relative to the checkpoint
  int64_t at = 0;
  bool is_cut = false;
  std::string ToString() const {
    return file.string() + (is_cut ? " cut to " : " flipped at ") + std::to_string(at);
  }
};

class FlipEveryByteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("tidemill-flip-" + NewUuid(Random::System()));
    fs::create_directories(root_ / "in");
    AddInput("a.txt", "the tide turns the mill" + ManyWords());
    AddInput("b.txt", "the mill grinds" + ManyWords());
    // Snapshots are made in the background: some epochs more, so that the log names one.
    for (int i = 0; i < 40; ++i) AddInput("c" + std::to_string(i) + ".txt", "ebb");
    const arrow::Status first = Run({{"state.key_groups", "4"},
                                     {"state.snapshot_min_bytes", "1024"},
                                     {"state.snapshot_ratio", "0.01"},
                                     {"log.base_interval", "2"}});
    ASSERT_TRUE(first.ok()) << RenderError(first);
    fs::copy(root_ / "ckpt", root_ / "sound-ckpt", fs::copy_options::recursive);
    fs::copy(root_ / "out", root_ / "sound-out", fs::copy_options::recursive);
    AddInput("d.txt", "the last tide");
  }
  void TearDown() override {
    if (std::getenv("TIDEMILL_KEEP") == nullptr) fs::remove_all(root_);
  }

  // Enough of a changelog for a snapshot to be due after the second epoch.
  static std::string ManyWords() {
    std::string words;
    for (int i = 0; i < 60; ++i) words += " word" + std::to_string(i);
    return words;
  }

  // File times in the order of adding.
  void AddInput(const std::string& name, const std::string& text) {
    Spit(root_ / "in" / name, text + "\n");
    fs::last_write_time(root_ / "in" / name,
                        fs::file_time_type::clock::now() + std::chrono::seconds(inputs_++));
  }

  arrow::Status Run(const std::map<std::string, std::string>& settings) {
    const std::string text =
        "name: flip\nsources: {t: {format: text, path: in, options: {maxFilesPerTrigger: 1}}}\n"
        "query: SELECT w, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS w FROM t) GROUP "
        "BY w\n"
        "sink: {format: json, path: out}\noutputMode: complete\ntrigger: "
        "available-now\ncheckpointLocation: ckpt\n";
    auto specs = driver::ReadJobText(text, "flip.yaml", root_.string(), settings);
    if (!specs.ok()) return specs.status();
    const driver::JobSpec& spec = specs->front();
    ARROW_ASSIGN_OR_RAISE(driver::PlannedJob planned, driver::PlanJob(spec, FileSystem::Local()));
    ARROW_ASSIGN_OR_RAISE(driver::JobDefinition definition, driver::MakeDefinition(spec, planned));
    definition.is_durable = false;  // No fsync: the operating system does not die here.
    deploy::EmbeddedEngine::Options options;
    options.slots = 2;
    options.data_dir = (root_ / "local").string();
    options.holder = "test";
    deploy::EmbeddedEngine engine(std::move(options));
    std::promise<driver::JobResult> done;
    auto job = engine.Start(std::move(definition), [&done](driver::JobResult result) {
      done.set_value(std::move(result));
    });
    return done.get_future().get().status;
  }

  // An independent count over all input files.
  std::map<std::string, int> Expected() const {
    std::map<std::string, int> counts;
    for (const auto& entry : fs::directory_iterator(root_ / "in")) {
      std::istringstream words(Slurp(entry.path()));
      for (std::string word; words >> word;) ++counts[word];
    }
    return counts;
  }

  std::map<std::string, int> Actual() const {
    std::map<std::string, int> counts;
    std::istringstream lines(Slurp(root_ / "out" / "part-00000.json"));
    for (std::string line; std::getline(lines, line);) {
      char word[64];
      int count = 0;
      if (std::sscanf(line.c_str(), "{\"w\":\"%63[^\"]\",\"n\":%d}", word, &count) == 2)
        counts[word] += count;
    }
    return counts;
  }

  std::vector<Damage> AllDamage() const {
    std::vector<Damage> all;
    for (const auto& entry : fs::recursive_directory_iterator(root_ / "sound-ckpt")) {
      if (!entry.is_regular_file()) continue;
      const auto file = fs::relative(entry.path(), root_ / "sound-ckpt");
      for (int64_t at = 0; at < static_cast<int64_t>(entry.file_size()); ++at) {
        all.push_back({file, at, false});
        all.push_back({file, at, true});
      }
    }
    return all;
  }

  void Try(const Damage& damage) {
    fs::remove_all(root_ / "ckpt");
    fs::remove_all(root_ / "out");
    fs::copy(root_ / "sound-ckpt", root_ / "ckpt", fs::copy_options::recursive);
    fs::copy(root_ / "sound-out", root_ / "out", fs::copy_options::recursive);
    std::string contents = Slurp(root_ / "ckpt" / damage.file);
    if (damage.is_cut) {
      contents.resize(damage.at);
    } else {
      contents[damage.at] = static_cast<char>(contents[damage.at] ^ (1 << (damage.at % 8)));
    }
    Spit(root_ / "ckpt" / damage.file, contents);

    const arrow::Status status = Run({{"state.key_groups", "4"}});

    if (status.ok()) {
      EXPECT_EQ(Actual(), Expected()) << damage.ToString();
      ++harmless_;
    } else {
      EXPECT_EQ(KindOf(status), ErrorKind::kCorrupt)
          << damage.ToString() << ": " << RenderError(status);
      ++detected_;
    }
  }

  fs::path root_;
  int inputs_ = 0;
  int harmless_ = 0;
  int detected_ = 0;
};

TEST_F(FlipEveryByteTest, DamageIsDetectedOrHarmless) {
  std::vector<Damage> all = AllDamage();
  const char* trials = std::getenv("TIDEMILL_CORRUPTION_TRIALS");
  const char* seed_text = std::getenv("TIDEMILL_SEED");
  const uint64_t seed = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 10)
                                             : Random::System()->Next() % 1'000'000;
  if (trials != nullptr) {
    std::mt19937_64 random(seed);
    std::shuffle(all.begin(), all.end(), random);
    all.resize(std::min<size_t>(all.size(), std::atoi(trials)));
  }

  for (const Damage& damage : all) Try(damage);

  std::printf("seed %lu: %zu damages, %d detected, %d harmless\n", seed, all.size(), detected_,
              harmless_);
  EXPECT_GT(detected_, 0);
  EXPECT_GT(harmless_, 0);
}

}  // namespace
}  // namespace tidemill::testing
