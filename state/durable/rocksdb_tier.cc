#include "state/durable/rocksdb_tier.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "state/durable/checksum.h"
#include "state/durable/rocksdb_layout.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

namespace stdfs = std::filesystem;

constexpr uint64_t kSstBytes = 64 << 20;

arrow::Status FromRocks(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return arrow::Status::OK();
  std::string message = fmt::format("{}: {}", doing, status.ToString());
  if (status.IsNoSpace()) return DiskFullError(std::move(message));
  return MakeError(ErrorKind::kGeneral, "STATE_STORE_FAILED", std::move(message));
}

// An flock on a file that is still the one in the directory. Released by the destructor.
class DirectoryLock {
 public:
  ~DirectoryLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  // False where another process holds it.
  bool TryLock(const std::string& dir, bool create) {
    const std::string path = dir + "/lock";
    fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0666);
    if (fd_ < 0) return false;
    struct stat info;
    const bool is_held = ::flock(fd_, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd_, &info) == 0 &&
                         info.st_nlink > 0;  // 0: a cleaner was faster
    if (!is_held) ::close(std::exchange(fd_, -1));
    return is_held;
  }

 private:
  int fd_ = -1;
};

rocksdb::Options DatabaseOptions() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.write_buffer_size = 256 << 10;  // memtables stay empty
  options.compression = rocksdb::kLZ4Compression;
  options.target_file_size_base = kSstBytes;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 1;
  options.stats_dump_period_sec = 0;
  options.avoid_flush_during_shutdown = true;
  // Rows that come back are changed and written again, all over the keys: levels would rewrite
  // what is below them for each few of them.
  options.compaction_style = rocksdb::kCompactionStyleUniversal;
  options.level0_file_num_compaction_trigger = 16;
  options.compaction_options_universal.size_ratio = 20;
  options.compaction_options_universal.max_size_amplification_percent = 100;
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(8));
  // A table knows which keys may be here (ColdFilter): the last level, where most rows lie, needs
  // no filter.
  options.optimize_filters_for_hits = true;
  // Filters and indexes stay in memory (memory_bytes): read again for a few keys, they would cost
  // more than the rows. Blocks do not, except as pages of the file: rows in use are in the tables.
  options.max_open_files = -1;
  table.no_block_cache = true;
  // Rows are asked for one here, one there, and each costs the unpacking of a block. Twice as many
  // blocks make a larger index, which is packed itself.
  table.block_size = 2 << 10;
  table.index_block_restart_interval = 8;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// Writes sorted entries of one column family into as many SST files as they fill.
class SstBuilder {
 public:
  SstBuilder(const rocksdb::Options& options, rocksdb::ColumnFamilyHandle* family,
             std::string path_prefix)
      : options_(options), family_(family), path_prefix_(std::move(path_prefix)) {}

  arrow::Status Put(std::string_view key, std::string_view value) {
    ARROW_RETURN_NOT_OK(EnsureFile());
    return FromRocks(writer_->Put(Slice(key), Slice(value)), "write state rows");
  }
  arrow::Status Delete(std::string_view key) {
    ARROW_RETURN_NOT_OK(EnsureFile());
    return FromRocks(writer_->Delete(Slice(key)), "write state rows");
  }
  // Adds the files to `args` if there are any.
  arrow::Status Finish(std::vector<rocksdb::IngestExternalFileArg>* args) {
    ARROW_RETURN_NOT_OK(FinishFile());
    if (files_.empty()) return arrow::Status::OK();
    rocksdb::IngestExternalFileArg arg;
    arg.column_family = family_;
    arg.external_files = std::move(files_);
    arg.options.move_files = true;
    arg.options.snapshot_consistency = false;
    arg.options.write_global_seqno = false;
    args->push_back(std::move(arg));
    return arrow::Status::OK();
  }

 private:
  static rocksdb::Slice Slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
  arrow::Status EnsureFile() {
    if (writer_ != nullptr && writer_->FileSize() >= kSstBytes) ARROW_RETURN_NOT_OK(FinishFile());
    if (writer_ != nullptr) return arrow::Status::OK();
    writer_ =
        std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(), options_, family_, false);
    files_.push_back(fmt::format("{}-{}.sst", path_prefix_, files_.size()));
    return FromRocks(writer_->Open(files_.back()), "create a state file");
  }
  arrow::Status FinishFile() {
    if (writer_ == nullptr) return arrow::Status::OK();
    const auto writer = std::move(writer_);
    return FromRocks(writer->Finish(), "finish a state file");
  }

  const rocksdb::Options& options_;
  rocksdb::ColumnFamilyHandle* const family_;
  const std::string path_prefix_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;
  std::vector<std::string> files_;
};

// The first eight bytes as a number of the same order, with zeros behind a shorter text.
uint64_t FirstBytes(std::string_view text) {
  uint64_t bytes = 0;
  std::memcpy(&bytes, text.data(), std::min(text.size(), sizeof(bytes)));
  return __builtin_bswap64(bytes);
}

arrow::Status WriteRun(const FlushBatch::Run& run, SstBuilder* sst) {
  const RowBlock& rows = run.rows;
  const auto is_null = [&](uint32_t i) { return (rows.flags[i] & RowBlock::kNullKey) != 0; };
  // Most keys differ in their first bytes, which are compared as one number, without going to them.
  struct Place {
    uint64_t first_bytes;
    uint32_t row;
  };
  std::vector<Place> order(rows.num_rows);
  for (uint32_t i = 0; i < rows.num_rows; ++i) order[i] = {FirstBytes(rows.Key(i)), i};
  std::sort(order.begin(), order.end(), [&](const Place& a, const Place& b) {
    if (a.first_bytes != b.first_bytes) return a.first_bytes < b.first_bytes;
    return rows.Key(a.row) < rows.Key(b.row);
  });
  // There is one NULL at most; it goes last.
  const auto null = std::find_if(order.begin(), order.end(),
                                 [&](const Place& place) { return is_null(place.row); });
  if (null != order.end()) std::rotate(null, null + 1, order.end());
  std::string key = RowKey(run.key_group, false, "");
  std::string value(1, static_cast<char>(kRowCodecVersion));
  for (const auto& [first_bytes, i] : order) {
    key.resize(kRowKeyPrefix);
    key.back() = is_null(i) ? 1 : 0;
    if (!is_null(i)) key.append(rows.Key(i));
    if ((rows.flags[i] & RowBlock::kTombstone) != 0) {
      ARROW_RETURN_NOT_OK(sst->Delete(key));
      continue;
    }
    value.resize(1);
    value.append(rows.Value(i));
    ARROW_RETURN_NOT_OK(sst->Put(key, value));
  }
  return arrow::Status::OK();
}

// Reads rows of one table for a slot.
class TierRows final : public ColdRows {
 public:
  // `owner` keeps db and family.
  TierRows(std::shared_ptr<const void> owner, rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family,
           uint32_t key_group)
      : owner_(std::move(owner)), db_(db), family_(family), key_group_(key_group) {}

  arrow::Status Read(const EncodedKeys& keys, std::span<const uint32_t> picked,
                     RowBlock* out) const override {
    for (size_t begin = 0; begin < picked.size(); begin += kReadKeys)
      ARROW_RETURN_NOT_OK(
          ReadSome(keys, picked.subspan(begin, std::min(kReadKeys, picked.size() - begin)), out));
    return arrow::Status::OK();
  }

 private:
  // Keys of one call to RocksDB, which pins a block of each.
  static constexpr size_t kReadKeys = 1024;

  arrow::Status ReadSome(const EncodedKeys& keys, std::span<const uint32_t> picked,
                         RowBlock* out) const {
    const std::string prefix = RowKey(key_group_, false, "");
    std::string bytes;
    std::vector<size_t> ends;
    for (const uint32_t i : picked) {
      bytes.append(prefix).append(keys.Key(i));
      ends.push_back(bytes.size());
    }
    std::vector<rocksdb::Slice> slices;
    size_t begin = 0;
    for (const size_t end : ends) {
      slices.emplace_back(bytes.data() + begin, end - begin);
      begin = end;
    }
    std::vector<rocksdb::PinnableSlice> values(slices.size());
    std::vector<rocksdb::Status> statuses(slices.size());
    db_->MultiGet(rocksdb::ReadOptions(), family_, slices.size(), slices.data(), values.data(),
                  statuses.data(), /*sorted_input=*/true);
    for (size_t i = 0; i < slices.size(); ++i) {
      if (statuses[i].IsNotFound()) continue;
      ARROW_RETURN_NOT_OK(FromRocks(statuses[i], "read state rows"));
      const std::string_view value(values[i].data(), values[i].size());
      const bool fits =
          !value.empty() && value.front() == static_cast<char>(kRowCodecVersion) &&
          (out->value_width < 0 || value.size() == static_cast<size_t>(out->value_width) + 1);
      if (!fits) return CorruptState("a row of the local state store is damaged");
      out->AppendRow(0, keys.Key(picked[i]), value.substr(1));
    }
    return arrow::Status::OK();
  }

  const std::shared_ptr<const void> owner_;
  rocksdb::DB* const db_;
  rocksdb::ColumnFamilyHandle* const family_;
  const uint32_t key_group_;
};

}  // namespace

struct RocksDbTier::Impl {
  Options options;
  DirectoryLock lock;
  const rocksdb::Options db_options;
  std::unique_ptr<rocksdb::DB> db;
  bool is_owner = false;                                         // of local_dir
  std::map<std::string, rocksdb::ColumnFamilyHandle*> families;  // owned by db; set once
  int64_t next_run = 0;
  int64_t next_snapshot = 0;
  int64_t flushed_epoch = -1;
  std::vector<uint32_t> flushed_groups;
  std::map<std::string, SnapshotFile> copied;  // by local name: in the checkpoint already
  bool is_broken = false;

  explicit Impl(Options given) : options(std::move(given)), db_options(DatabaseOptions()) {}
  ~Impl() {
    for (auto& [name, handle] : families) (void)db->DestroyColumnFamilyHandle(handle);  // a cache
    db.reset();
    if (!is_owner) return;
    std::error_code ignored;  // what stays is removed by the next RemoveStale
    stdfs::remove_all(options.local_dir, ignored);
  }

  std::string LocalPath(std::string_view name) const { return JoinPath(options.local_dir, name); }
  arrow::Status OpenDatabase();
  arrow::Status Ingest(const std::vector<rocksdb::IngestExternalFileArg>& args) {
    return FromRocks(db->IngestExternalFiles(args), "ingest state files");
  }
  arrow::Status Flush(int64_t epoch, std::vector<const FlushBatch::Run*> runs);
  arrow::Status LinkTo(const std::string& dir);
  arrow::Result<Snapshot> TakeSnapshot();
  arrow::Result<SnapshotFile> CopyFile(const std::string& dir, const std::string& local_name,
                                       const std::string& id);
  arrow::Status DropKeyGroups(std::span<const uint32_t> key_groups);
  arrow::Status DeleteKeys(rocksdb::ColumnFamilyHandle* family, uint32_t key_group,
                           SstBuilder* sst);

  arrow::Status CheckUsable() const {
    if (!is_broken) return arrow::Status::OK();
    return MakeError(ErrorKind::kGeneral, "STATE_STORE_FAILED",
                     "an earlier write to the local state store failed");
  }
  // Keeps the tier from going on after a failure.
  arrow::Status Note(arrow::Status status) {
    if (!status.ok()) is_broken = true;
    return status;
  }
};

// Lazily, because a short job never flushes.
arrow::Status RocksDbTier::Impl::OpenDatabase() {
  if (db != nullptr) return arrow::Status::OK();
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, db_options);
  descriptors.emplace_back(kEpochFamily, db_options);
  for (const int32_t id : options.operators) descriptors.emplace_back(FamilyOf(id), db_options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  ARROW_RETURN_NOT_OK(
      FromRocks(rocksdb::DB::Open(db_options, LocalPath("db"), descriptors, &handles, &opened),
                "open the local state store"));
  db.reset(opened);
  for (size_t i = 0; i < handles.size(); ++i) families[descriptors[i].name] = handles[i];
  return arrow::Status::OK();
}

arrow::Status RocksDbTier::Impl::Flush(int64_t epoch, std::vector<const FlushBatch::Run*> runs) {
  ARROW_RETURN_NOT_OK(OpenDatabase());
  std::sort(runs.begin(), runs.end(), [](const auto* a, const auto* b) {
    return std::pair(a->operator_id, a->key_group) < std::pair(b->operator_id, b->key_group);
  });
  const int64_t number = next_run++;
  std::vector<rocksdb::IngestExternalFileArg> args;
  std::map<std::string, std::string> epochs = {{kEpochKey, EncodeEpoch(epoch)}};
  for (size_t i = 0; i < runs.size();) {
    const int32_t id = runs[i]->operator_id;
    const auto family = families.find(FamilyOf(id));
    TIDEMILL_CHECK(family != families.end());
    SstBuilder sst(db_options, family->second, LocalPath(fmt::format("run-{}-{}", number, id)));
    for (; i < runs.size() && runs[i]->operator_id == id; ++i) {
      epochs[ChangedKey(id, runs[i]->key_group)] = EncodeEpoch(runs[i]->last_changed_epoch);
      ARROW_RETURN_NOT_OK(WriteRun(*runs[i], &sst));
    }
    ARROW_RETURN_NOT_OK(sst.Finish(&args));
  }
  SstBuilder sst(db_options, families[kEpochFamily],
                 LocalPath(fmt::format("run-{}-epoch", number)));
  for (const auto& [key, value] : epochs) ARROW_RETURN_NOT_OK(sst.Put(key, value));
  ARROW_RETURN_NOT_OK(sst.Finish(&args));
  return Ingest(args);
}

arrow::Result<SnapshotFile> RocksDbTier::Impl::CopyFile(const std::string& dir,
                                                        const std::string& local_name,
                                                        const std::string& id) {
  SnapshotFile result;
  result.name = fmt::format("{}-{}", id, local_name);
  result.local_name = local_name;
  ARROW_ASSIGN_OR_RAISE(auto target, options.fs->Create(JoinPath(options.state_dir, result.name)));
  ARROW_ASSIGN_OR_RAISE(const FileChecksum copy,
                        ChecksumFile(FileSystem::Local(), JoinPath(dir, local_name), target.get()));
  result.size = copy.size;
  result.checksum = copy.checksum;
  if (options.is_durable) ARROW_RETURN_NOT_OK(target->Sync());
  ARROW_RETURN_NOT_OK(target->Close());
  return result;
}

arrow::Status RocksDbTier::Impl::LinkTo(const std::string& dir) {
  rocksdb::Checkpoint* made = nullptr;
  ARROW_RETURN_NOT_OK(
      FromRocks(rocksdb::Checkpoint::Create(db.get(), &made), "prepare a state snapshot"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  // Nothing is ever in a memtable, so nothing needs to be flushed.
  return FromRocks(checkpoint->CreateCheckpoint(dir, ~uint64_t{0}), "take a state snapshot");
}

arrow::Result<Snapshot> RocksDbTier::Impl::TakeSnapshot() {
  ARROW_RETURN_NOT_OK(OpenDatabase());
  Snapshot snapshot;
  const int64_t number = next_snapshot++;
  snapshot.id = fmt::format("snapshot-{}-{}-{}", options.worker, options.incarnation, number);
  snapshot.epoch = flushed_epoch;
  snapshot.key_groups = flushed_groups;
  const std::string dir = LocalPath(fmt::format("snapshot-{}", number));
  ARROW_RETURN_NOT_OK(LinkTo(dir));
  ARROW_ASSIGN_OR_RAISE(const auto entries, FileSystem::Local()->List(dir));
  std::map<std::string, SnapshotFile> current;
  for (const FileInfo& entry : entries) {
    const std::string local_name = BaseName(entry.path);
    const bool is_table = local_name.ends_with(".sst");
    if (!is_table && local_name != "CURRENT" && !local_name.starts_with("MANIFEST-")) continue;
    if (const auto known = copied.find(local_name); is_table && known != copied.end()) {
      current[local_name] = known->second;
    } else {
      ARROW_ASSIGN_OR_RAISE(current[local_name], CopyFile(dir, local_name, snapshot.id));
    }
    snapshot.files.push_back(current[local_name]);
  }
  if (options.is_durable) ARROW_RETURN_NOT_OK(options.fs->SyncDirectory(options.state_dir));
  copied = std::move(current);
  std::error_code ignored;  // hard links that take no space; removed with the directory at last
  stdfs::remove_all(dir, ignored);
  return snapshot;
}

// Key by key: RocksDB 7.8 aborts now and then where it merges files with removed ranges (its issue
// 11040), which costs more than the keys.
arrow::Status RocksDbTier::Impl::DeleteKeys(rocksdb::ColumnFamilyHandle* family, uint32_t key_group,
                                            SstBuilder* sst) {
  const std::string begin = GroupPrefix(key_group);
  const std::string end = GroupPrefix(key_group + 1);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> keys(db->NewIterator(read, family));
  for (keys->Seek(begin); keys->Valid(); keys->Next())
    ARROW_RETURN_NOT_OK(sst->Delete({keys->key().data(), keys->key().size()}));
  return FromRocks(keys->status(), "remove state rows");
}

arrow::Status RocksDbTier::Impl::DropKeyGroups(std::span<const uint32_t> key_groups) {
  if (db == nullptr) return arrow::Status::OK();
  std::vector<uint32_t> sorted(key_groups.begin(), key_groups.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const int64_t number = next_run++;
  std::vector<rocksdb::IngestExternalFileArg> args;
  for (const int32_t id : options.operators) {
    SstBuilder sst(db_options, families[FamilyOf(id)],
                   LocalPath(fmt::format("run-{}-{}", number, id)));
    for (const uint32_t group : sorted)
      ARROW_RETURN_NOT_OK(DeleteKeys(families[FamilyOf(id)], group, &sst));
    ARROW_RETURN_NOT_OK(sst.Finish(&args));
  }
  if (args.empty()) return arrow::Status::OK();
  std::erase_if(flushed_groups, [&](uint32_t group) {
    return std::binary_search(sorted.begin(), sorted.end(), group);
  });
  return Ingest(args);
}

arrow::Result<std::unique_ptr<RocksDbTier>> RocksDbTier::Open(Options options) {
  const auto impl = std::make_shared<Impl>(std::move(options));
  const std::string& dir = impl->options.local_dir;
  ARROW_RETURN_NOT_OK(FileSystem::Local()->CreateDirectories(dir));
  if (!impl->lock.TryLock(dir, /*create=*/true))
    return MakeError(ErrorKind::kConflict, "STATE_DIRECTORY_IN_USE",
                     fmt::format("another process uses the local state directory: path={}", dir));
  impl->is_owner = true;
  ARROW_ASSIGN_OR_RAISE(const auto entries, FileSystem::Local()->List(dir));
  for (const FileInfo& entry : entries) {
    if (BaseName(entry.path) != "lock")
      ARROW_RETURN_NOT_OK(entry.is_directory ? RemoveTree(FileSystem::Local(), entry.path)
                                             : FileSystem::Local()->Remove(entry.path));
  }
  return std::unique_ptr<RocksDbTier>(new RocksDbTier(impl));
}

RocksDbTier::RocksDbTier(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksDbTier::~RocksDbTier() = default;

arrow::Status RocksDbTier::Flush(int64_t epoch, std::span<const FlushBatch* const> batches) {
  ARROW_RETURN_NOT_OK(impl_->CheckUsable());
  std::vector<const FlushBatch::Run*> runs;
  std::vector<uint32_t> groups;
  for (const FlushBatch* batch : batches) {
    for (const FlushBatch::Run& run : batch->runs()) {
      runs.push_back(&run);
      groups.push_back(run.key_group);
    }
  }
  ARROW_RETURN_NOT_OK(impl_->Note(impl_->Flush(epoch, std::move(runs))));
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  impl_->flushed_groups = std::move(groups);
  impl_->flushed_epoch = epoch;
  return arrow::Status::OK();
}

arrow::Result<Snapshot> RocksDbTier::TakeSnapshot() {
  ARROW_RETURN_NOT_OK(impl_->CheckUsable());
  auto snapshot = impl_->TakeSnapshot();
  if (!snapshot.ok()) return impl_->Note(snapshot.status());
  return snapshot;
}

arrow::Status RocksDbTier::LinkTo(const std::string& dir) {
  ARROW_RETURN_NOT_OK(impl_->CheckUsable());
  ARROW_RETURN_NOT_OK(impl_->OpenDatabase());
  return impl_->LinkTo(dir);
}

int64_t RocksDbTier::flushed_epoch() const { return impl_->flushed_epoch; }

void RocksDbTier::Renew(std::string incarnation) {
  impl_->options.incarnation = std::move(incarnation);
  impl_->copied.clear();
  impl_->next_snapshot = 0;
}

arrow::Status RocksDbTier::DropKeyGroups(std::span<const uint32_t> key_groups) {
  ARROW_RETURN_NOT_OK(impl_->CheckUsable());
  return impl_->Note(impl_->DropKeyGroups(key_groups));
}

std::shared_ptr<const ColdRows> RocksDbTier::RowsOf(int32_t operator_id, uint32_t key_group) const {
  const auto family = impl_->families.find(FamilyOf(operator_id));
  TIDEMILL_CHECK(family != impl_->families.end());
  return std::make_shared<TierRows>(impl_, impl_->db.get(), family->second, key_group);
}

int64_t RocksDbTier::memory_bytes() const {
  int64_t bytes = 0;
  for (const auto& [name, family] : impl_->families) {
    uint64_t of_family = 0;
    if (impl_->db->GetIntProperty(family, rocksdb::DB::Properties::kEstimateTableReadersMem,
                                  &of_family))
      bytes += static_cast<int64_t>(of_family);
  }
  return bytes;
}

int64_t RocksDbTier::disk_bytes(int32_t operator_id) const {
  uint64_t bytes = 0;
  const auto family = impl_->families.find(FamilyOf(operator_id));
  if (family == impl_->families.end()) return 0;
  (void)impl_->db->GetIntProperty(family->second, rocksdb::DB::Properties::kLiveSstFilesSize,
                                  &bytes);  // 0 where it is not known
  return static_cast<int64_t>(bytes);
}

void RocksDbTier::RemoveStale(const std::string& job_dir) {
  std::error_code ignored;  // a directory that cannot be removed now is tried again next time
  for (const auto& entry : stdfs::directory_iterator(job_dir, ignored)) {
    DirectoryLock lock;
    if (entry.is_directory(ignored) && lock.TryLock(entry.path().string(), /*create=*/false))
      stdfs::remove_all(entry.path(), ignored);
  }
}

}  // namespace tidemill::state
