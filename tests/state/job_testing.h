#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "state/durable/changelog.h"
#include "state/durable/flush_batch.h"
#include "state/durable/restore.h"
#include "state/durable/rocksdb_tier.h"
#include "state_testing.h"

namespace tidemill::state {

// What a worker does with state: tables of key groups 0 to 3 of operator 0, a changelog, a RocksDB
// tier; and what the driver remembers of it: extents and snapshots.
class JobFixture : public ::testing::Test {
 protected:
  static constexpr uint32_t kGroups = 4;
  using Tables = std::map<uint32_t, std::unique_ptr<HotTable>>;

  void SetUp() override {
    state_dir_ = JoinPath(directory_.path(), "state");
    ASSERT_TRUE(FileSystem::Local()->CreateDirectories(state_dir_).ok());
    tables_ = NewTables();
    StartWorker("one");
  }

  static Tables NewTables() {
    Tables tables;
    for (uint32_t group = 0; group < kGroups; ++group) tables[group] = WordTable();
    return tables;
  }

  // A new incarnation with the tables as they are.
  void StartWorker(const std::string& incarnation) {
    tier_.reset();
    tier_ = RocksDbTier::Open({.fs = FileSystem::Local(),
                               .local_dir = JoinPath(directory_.path(), "data/" + incarnation),
                               .state_dir = state_dir_,
                               .worker = "w",
                               .incarnation = incarnation,
                               .operators = {0}})
                .ValueOrDie();
    segment_ = ChangelogSegment::Create({.fs = FileSystem::Local(),
                                         .state_dir = state_dir_,
                                         .worker = "w",
                                         .incarnation = incarnation})
                   .ValueOrDie();
  }

  void Put(const std::string& key, int64_t number, const std::string& text) {
    PutWord(tables_[GroupOf(key)].get(), key, number, text);
  }
  void Erase(const std::string& key) { EraseWord(tables_[GroupOf(key)].get(), key); }
  static uint32_t GroupOf(const std::string& key) {
    return static_cast<uint32_t>(std::hash<std::string>()(key) % kGroups);
  }

  void Commit() {
    ++epoch_;
    ChangelogSections sections;
    for (auto& [group, table] : tables_) sections.Add(0, group, *table);
    const ChangelogSections* slots[] = {&sections};
    extents_.push_back(segment_->Append(epoch_, slots).ValueOrDie());
    for (auto& [group, table] : tables_) table->CommitEpoch(epoch_);
  }

  Snapshot FlushAndSnapshot() {
    FlushBatch batch;
    for (auto& [group, table] : tables_) batch.Add(0, group, table.get());
    const FlushBatch* batches[] = {&batch};
    EXPECT_TRUE(tier_->Flush(epoch_, batches).ok());
    Snapshot snapshot = tier_->TakeSnapshot().ValueOrDie();
    snapshots_.insert(snapshots_.begin(), snapshot);
    return snapshot;
  }

  Restorer::Options RestoreOptions() const {
    return {.fs = FileSystem::Local(),
            .state_dir = state_dir_,
            .scratch_dir = JoinPath(directory_.path(), "scratch"),
            .snapshots = snapshots_,
            .extents = extents_,
            .committed_epoch = epoch_};
  }

  arrow::Result<Restorer::Stats> RestoreInto(Tables* tables) {
    return RestoreInto(tables, RestoreOptions());
  }
  static arrow::Result<Restorer::Stats> RestoreInto(Tables* tables, Restorer::Options options) {
    Restorer restorer(std::move(options));
    const std::vector<uint32_t> groups = {0, 1, 2, 3};
    return restorer.Restore(groups, [&](int32_t operator_id, uint32_t group) {
      return operator_id == 0 ? (*tables)[group].get() : nullptr;
    });
  }

  static std::vector<std::string> Dump(const Tables& tables) {
    std::vector<std::string> lines;
    for (const auto& [group, table] : tables)
      for (auto& line : DumpWords(*table)) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  // Flips a bit of one byte of a file of the checkpoint.
  void Damage(const std::string& name, int64_t at) {
    const std::string path = JoinPath(state_dir_, name);
    std::string bytes = ReadFile(FileSystem::Local(), path).ValueOrDie();
    bytes[at % bytes.size()] ^= 0x20;
    ASSERT_TRUE(FileSystem::Local()->Remove(path).ok());
    auto file = FileSystem::Local()->Create(path).ValueOrDie();
    ASSERT_TRUE(file->Append(bytes).ok());
  }

  TestDirectory directory_;
  std::string state_dir_;
  Tables tables_;
  std::unique_ptr<RocksDbTier> tier_;
  std::unique_ptr<ChangelogSegment> segment_;
  int64_t epoch_ = -1;
  std::vector<Extent> extents_;
  std::vector<Snapshot> snapshots_;
};

}  // namespace tidemill::state
