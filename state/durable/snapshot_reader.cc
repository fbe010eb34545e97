#include "state/durable/snapshot_reader.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/perf_level.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include "state/durable/checksum.h"
#include "state/durable/rocksdb_layout.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

constexpr uint32_t kBlockRows = 4096;

std::string_view ViewOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Brings one verified file to the local directory: a hard link where that is possible.
arrow::Status Fetch(FileSystem* fs, const std::string& source, const std::string& target,
                    const SnapshotFile& file) {
  const FileChecksum expected = {.size = file.size, .checksum = file.checksum};
  const bool is_table = file.local_name.ends_with(".sst");
  if (fs == FileSystem::Local() && is_table) {
    ARROW_RETURN_NOT_OK(VerifyFile(fs, source, expected, nullptr));
    std::error_code error;
    std::filesystem::create_hard_link(source, target, error);
    if (!error) return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(auto copy, FileSystem::Local()->Create(target));
  ARROW_RETURN_NOT_OK(VerifyFile(fs, source, expected, copy.get()));
  return copy->Close();
}

arrow::Status Damaged(const std::string& id, std::string_view what) {
  return CorruptState(fmt::format("state snapshot cannot be read: snapshot={}: {}", id, what));
}

// The operator of a column family, -1 for the other families.
int32_t OperatorOf(std::string_view family) {
  const std::string_view prefix = kFamilyPrefix;
  int32_t id = -1;
  if (family.starts_with(prefix))
    std::from_chars(family.data() + prefix.size(), family.data() + family.size(), id);
  return id;
}

}  // namespace

struct SnapshotReader::Impl {
  std::string id;
  std::string local_dir;
  bool is_owner = true;  // of local_dir
  std::unique_ptr<rocksdb::DB> db;
  std::map<int32_t, rocksdb::ColumnFamilyHandle*> operators;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::ColumnFamilyHandle* epochs = nullptr;

  ~Impl() {
    for (auto* handle : handles) (void)db->DestroyColumnFamilyHandle(handle);  // read-only
    db.reset();
    if (!is_owner) return;
    std::error_code ignored;  // a scratch directory
    std::filesystem::remove_all(local_dir, ignored);
  }

  arrow::Status OpenDatabase(int64_t epoch);
  // Reads a number of the epoch column family; `missing` where it is not there.
  arrow::Result<int64_t> ReadEpoch(const std::string& key, int64_t missing) const;
  arrow::Result<int64_t> ReadTable(uint32_t key_group, rocksdb::ColumnFamilyHandle* family,
                                   HotTable* table) const;
  arrow::Status AddRow(std::string_view key, std::string_view value, RowBlock* block) const;
};

arrow::Status SnapshotReader::Impl::OpenDatabase(int64_t epoch) {
  rocksdb::DBOptions options;
  options.info_log_level = rocksdb::ERROR_LEVEL;
  options.max_open_files = 256;
  std::vector<std::string> names;
  auto status = rocksdb::DB::ListColumnFamilies(options, local_dir, &names);
  if (!status.ok()) return Damaged(id, status.ToString());
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  descriptors.reserve(names.size());
  for (const std::string& name : names)
    descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions());
  rocksdb::DB* opened = nullptr;
  status = rocksdb::DB::OpenForReadOnly(options, local_dir, descriptors, &handles, &opened);
  if (!status.ok()) return Damaged(id, status.ToString());
  db.reset(opened);
  for (size_t i = 0; i < names.size(); ++i) {
    if (const int32_t operator_id = OperatorOf(names[i]); operator_id >= 0)
      operators[operator_id] = handles[i];
    if (names[i] == kEpochFamily) epochs = handles[i];
  }
  if (epochs == nullptr) return Damaged(id, "it says no epoch");
  ARROW_ASSIGN_OR_RAISE(const int64_t found, ReadEpoch(kEpochKey, -1));
  if (found != epoch)
    return Damaged(id, fmt::format("its epoch differs: expected={} actual={}", epoch, found));
  return arrow::Status::OK();
}

arrow::Result<int64_t> SnapshotReader::Impl::ReadEpoch(const std::string& key,
                                                       int64_t missing) const {
  std::string value;
  const auto status = db->Get(rocksdb::ReadOptions(), epochs, key, &value);
  if (status.IsNotFound()) return missing;
  if (!status.ok()) return Damaged(id, status.ToString());
  int64_t epoch = 0;
  if (value.size() != sizeof(epoch)) return Damaged(id, "an epoch is damaged");
  std::memcpy(&epoch, value.data(), sizeof(epoch));
  return epoch;
}

arrow::Status SnapshotReader::Impl::AddRow(std::string_view key, std::string_view value,
                                           RowBlock* block) const {
  if (key.size() < kRowKeyPrefix || value.empty() ||
      value.front() != static_cast<char>(kRowCodecVersion))
    return Damaged(id, "a row is damaged");
  const bool is_null = key[kRowKeyPrefix - 1] != 0;
  key.remove_prefix(kRowKeyPrefix);
  value.remove_prefix(1);
  const bool fits =
      (block->key_width < 0 || is_null || key.size() == static_cast<size_t>(block->key_width)) &&
      (block->value_width < 0 || value.size() == static_cast<size_t>(block->value_width));
  if (!fits) return Damaged(id, "a row does not fit its operator");
  block->AppendRow(is_null ? RowBlock::kNullKey : 0, key, value);
  return arrow::Status::OK();
}

arrow::Result<int64_t> SnapshotReader::Impl::ReadTable(uint32_t key_group,
                                                       rocksdb::ColumnFamilyHandle* family,
                                                       HotTable* table) const {
  const std::string begin = GroupPrefix(key_group);
  const std::string end = GroupPrefix(key_group + 1);
  const rocksdb::Slice bound(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &bound;
  options.fill_cache = false;
  options.readahead_size = 256 << 10;
  // Counters of this thread that nobody reads, several for each row.
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  const std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator(options, family));
  RowBlock block;
  block.Clear(table->key_width(), table->value_width());
  int64_t count = 0;
  for (rows->Seek(begin); rows->Valid(); rows->Next()) {
    ARROW_RETURN_NOT_OK(AddRow(ViewOf(rows->key()), ViewOf(rows->value()), &block));
    ++count;
    if (block.num_rows < kBlockRows) continue;
    ARROW_RETURN_NOT_OK(table->Import(block));
    block.Clear(table->key_width(), table->value_width());
  }
  if (!rows->status().ok()) return Damaged(id, rows->status().ToString());
  ARROW_RETURN_NOT_OK(table->Import(block));
  return count;
}

arrow::Result<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(FileSystem* fs,
                                                                    const std::string& state_dir,
                                                                    const std::string& local_dir,
                                                                    const Snapshot& snapshot) {
  ARROW_RETURN_NOT_OK(RemoveTree(FileSystem::Local(), local_dir));
  ARROW_RETURN_NOT_OK(FileSystem::Local()->CreateDirectories(local_dir));
  auto impl = std::make_unique<Impl>();
  impl->id = snapshot.id;
  impl->local_dir = local_dir;
  for (const SnapshotFile& file : snapshot.files)
    ARROW_RETURN_NOT_OK(
        Fetch(fs, JoinPath(state_dir, file.name), JoinPath(local_dir, file.local_name), file));
  ARROW_RETURN_NOT_OK(impl->OpenDatabase(snapshot.epoch));
  return std::unique_ptr<SnapshotReader>(new SnapshotReader(std::move(impl)));
}

arrow::Result<std::unique_ptr<SnapshotReader>> SnapshotReader::OpenLocal(const std::string& dir,
                                                                         int64_t epoch) {
  auto impl = std::make_unique<Impl>();
  impl->id = dir;
  impl->local_dir = dir;
  impl->is_owner = false;
  ARROW_RETURN_NOT_OK(impl->OpenDatabase(epoch));
  return std::unique_ptr<SnapshotReader>(new SnapshotReader(std::move(impl)));
}

SnapshotReader::SnapshotReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SnapshotReader::~SnapshotReader() = default;

arrow::Result<int64_t> SnapshotReader::ReadKeyGroup(
    uint32_t key_group, const std::function<HotTable*(int32_t)>& find) const {
  int64_t rows = 0;
  for (const auto& [operator_id, family] : impl_->operators) {
    HotTable* table = find(operator_id);
    if (table == nullptr)
      return Damaged(impl_->id, fmt::format("the query has no stateful operator {}", operator_id));
    ARROW_ASSIGN_OR_RAISE(const int64_t read, impl_->ReadTable(key_group, family, table));
    rows += read;
    ARROW_ASSIGN_OR_RAISE(const int64_t changed,
                          impl_->ReadEpoch(ChangedKey(operator_id, key_group), -1));
    table->set_last_changed_epoch(changed);
  }
  return rows;
}

}  // namespace tidemill::state
