#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/failpoint.h"
#include "common/base/hash.h"
#include "common/base/logging.h"
#include "connectors/file/sink/file_encoder.h"
#include "connectors/file/sink/file_sink.h"
#include "connectors/file/sink/sink_layout.h"
#include "connectors/file/sink/sink_manifest.h"
#include "connectors/file/sink/sink_owner.h"

namespace tidemill::connectors {

namespace {

constexpr size_t kManifestsKept = 100;

std::optional<int64_t> EpochOfName(std::string_view name) {
  int64_t epoch = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), epoch);
  if (error != std::errc() || end != name.data() + name.size() || epoch < 0) return std::nullopt;
  return epoch;
}

arrow::Status CheckContents(FileSystem* fs, const std::string& path, uint64_t expected) {
  ARROW_ASSIGN_OR_RAISE(const std::string contents, ReadFile(fs, path));
  const uint64_t actual = Hash64(contents);
  if (actual == expected) return arrow::Status::OK();
  return MakeError(ErrorKind::kCorrupt, "STAGED_FILE_CORRUPT",
                   fmt::format("staged file has another checksum: path={} expected={} actual={}",
                               path, HexOf(expected), HexOf(actual)));
}

class FileSinkDriver final : public SinkDriver {
 public:
  FileSinkDriver(const SinkSpec& spec, const SinkDriverContext& context)
      : layout_(spec.options.GetString("path", ""), spec.job_uuid),
        job_uuid_(spec.job_uuid),
        job_name_(spec.job_name),
        is_complete_(spec.output_mode == OutputMode::kComplete),
        spec_(spec),
        suffix_(FileExtension(spec)),
        context_(context),
        owner_(context_.fs, context_.random, layout_.root(), context_.is_durable) {}

  arrow::Status Open(uint64_t term) override {
    ARROW_RETURN_NOT_OK(context_.fs->CreateDirectories(layout_.staged_dir()));
    ARROW_RETURN_NOT_OK(owner_.Take(job_uuid_, job_name_, term));
    for (const std::string& dir :
         {layout_.job_dir(), layout_.root(), layout_.path(), ParentPath(layout_.path())}) {
      ARROW_RETURN_NOT_OK(SyncDirectory(dir));
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::optional<Published>> Recover(int64_t last_committed) override {
    ARROW_RETURN_NOT_OK(FindManifests());
    std::optional<Published> published;
    if (!epochs_.empty()) {
      const int64_t newest = *epochs_.rbegin();
      if (newest > last_committed + 1) {
        return MakeError(ErrorKind::kCorrupt, "SINK_AHEAD_OF_LOG",
                         fmt::format("sink has an epoch that the checkpoint does not know: path={} "
                                     "sink_epoch={} last_committed={}",
                                     layout_.path(), newest, last_committed));
      }
      ARROW_ASSIGN_OR_RAISE(const auto manifest, ReadManifest(newest));
      if (!manifest) {
        return MakeError(
            ErrorKind::kGeneral, "IO_ERROR",
            fmt::format("sink manifest vanished: path={}", layout_.ManifestPath(newest)));
      }
      // A Commit record says that the renames are done; consumers may have taken the files since.
      if (newest > last_committed) ARROW_RETURN_NOT_OK(FinishRenames(*manifest, /*is_redo=*/true));
      published = Published{.epoch = newest, .plan_hash = manifest->plan_hash};
    }
    ARROW_RETURN_NOT_OK(RemoveStaged());
    return published;
  }

  arrow::Status Commit(const EpochId& id, uint64_t plan_hash, std::vector<StagedOutput> outputs,
                       const std::function<bool()>& still_mine) override {
    ARROW_ASSIGN_OR_RAISE(const auto existing, ReadManifest(id.epoch));
    if (existing) return Adopt(*existing, plan_hash, outputs);
    ARROW_ASSIGN_OR_RAISE(const SinkManifest manifest, Plan(id, plan_hash, outputs));
    if (manifest.files.empty()) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(SyncDirectory(layout_.staged_dir()));
    ARROW_ASSIGN_OR_RAISE(const bool is_held, owner_.IsHeld());
    if (!is_held || !still_mine()) {
      return MakeError(ErrorKind::kFenced, "FENCED",
                       fmt::format("a newer driver took over before the commit: path={} epoch={} "
                                   "term={}",
                                   layout_.path(), id.epoch, id.term));
    }
    const arrow::Status published = PublishFile(context_.fs, layout_.ManifestPath(id.epoch),
                                                EncodeManifest(manifest), context_.is_durable);
    if (KindOf(published) == ErrorKind::kConflict && !published.ok()) {
      ARROW_ASSIGN_OR_RAISE(const auto other, ReadManifest(id.epoch));
      if (other) return Adopt(*other, plan_hash, outputs);
    }
    ARROW_RETURN_NOT_OK(published);
    Failpoint("sink.manifest_written");
    ARROW_RETURN_NOT_OK(FinishRenames(manifest, /*is_redo=*/false));
    Failpoint("sink.renamed");
    // What other attempts left: of this term, or of workers that still wrote for the term before
    // when Recover looked.
    const bool is_first_try = (id.attempt & 0xffff'ffff) <= 1;
    if (!is_first_try || !has_committed_) ARROW_RETURN_NOT_OK(RemoveStagedOf(id.epoch));
    has_committed_ = true;
    return Prune(id.epoch);
  }

  std::string Description() const override {
    return fmt::format("FileSink[file:{}]", layout_.path());
  }

  std::string SharedFile() const override { return owner_.path(); }

 private:
  arrow::Status SyncDirectory(const std::string& dir) const {
    return context_.is_durable ? context_.fs->SyncDirectory(dir) : arrow::Status::OK();
  }

  arrow::Result<std::optional<SinkManifest>> ReadManifest(int64_t epoch) const {
    const std::string path = layout_.ManifestPath(epoch);
    auto text = ReadFile(context_.fs, path);
    if (!text.ok() && KindOf(text.status()) == ErrorKind::kNotFound) {
      return std::optional<SinkManifest>();
    }
    ARROW_RETURN_NOT_OK(text.status());
    ARROW_ASSIGN_OR_RAISE(SinkManifest manifest, DecodeManifest(*text, path));
    if (manifest.epoch != epoch) {
      return MakeError(
          ErrorKind::kCorrupt, "CORRUPT_SINK_MANIFEST",
          fmt::format("sink manifest is of another epoch: path={} epoch={}", path, manifest.epoch));
    }
    return std::optional<SinkManifest>(std::move(manifest));
  }

  // Finds the manifests of this job, and removes half-written ones of drivers that died.
  arrow::Status FindManifests() {
    epochs_.clear();
    ARROW_ASSIGN_OR_RAISE(const auto entries, context_.fs->List(layout_.job_dir()));
    for (const FileInfo& entry : entries) {
      if (entry.is_directory) continue;
      const std::string name = BaseName(entry.path);
      if (const auto epoch = EpochOfName(name)) {
        epochs_.insert(*epoch);
      } else if (name.size() > 4 && name.substr(name.size() - 4) == ".tmp") {
        ARROW_RETURN_NOT_OK(context_.fs->Remove(entry.path));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status RemoveStaged() const {
    ARROW_ASSIGN_OR_RAISE(const auto entries, context_.fs->List(layout_.staged_dir()));
    for (const FileInfo& entry : entries) {
      ARROW_RETURN_NOT_OK(context_.fs->Remove(entry.path));
    }
    return arrow::Status::OK();
  }

  // The epoch is published already: finishes it, and drops what this attempt staged.
  arrow::Status Adopt(const SinkManifest& manifest, uint64_t plan_hash,
                      const std::vector<StagedOutput>& outputs) {
    if (manifest.plan_hash != plan_hash) {
      return MakeError(
          ErrorKind::kCorrupt, "SINK_EPOCH_MISMATCH",
          fmt::format("sink has published this epoch from another plan: path={} "
                      "epoch={} expected={} actual={}",
                      layout_.path(), manifest.epoch, HexOf(plan_hash), HexOf(manifest.plan_hash)));
    }
    ARROW_RETURN_NOT_OK(FinishRenames(manifest, /*is_redo=*/true));
    for (const StagedOutput& output : outputs) {
      for (const StagedFile& file : output.files) {
        ARROW_RETURN_NOT_OK(context_.fs->Remove(layout_.PathOf(file.staged_name)));
      }
    }
    return Prune(manifest.epoch);
  }

  arrow::Result<SinkManifest> Plan(const EpochId& id, uint64_t plan_hash,
                                   const std::vector<StagedOutput>& outputs) const {
    SinkManifest manifest{
        .epoch = id.epoch, .plan_hash = plan_hash, .term = id.term, .attempt = id.attempt};
    const std::string unique = NewUuid(context_.random).substr(0, 8);
    for (const StagedOutput& output : outputs) {
      for (const StagedFile& file : output.files) {
        const std::string final_name = is_complete_
                                           ? fmt::format("part-00000.{}", suffix_)
                                           : fmt::format("part-{:05}-{}-{}.{}", id.epoch,
                                                         manifest.files.size(), unique, suffix_);
        manifest.files.push_back({.staged_name = file.staged_name,
                                  .final_name = final_name,
                                  .size = file.size,
                                  .rows = file.rows,
                                  .checksum = file.checksum});
      }
    }
    if (!is_complete_) return manifest;
    if (manifest.files.size() > 1) {
      return MakeError(ErrorKind::kBug, "INTERNAL_ERROR",
                       fmt::format("file sink in complete mode got the rows of {} writers",
                                   manifest.files.size()));
    }
    if (manifest.files.empty()) {
      ARROW_ASSIGN_OR_RAISE(ManifestFile file, StageEmptyFile(id));
      manifest.files.push_back(std::move(file));
    }
    return manifest;
  }

  // The result without rows replaces the one before it too.
  arrow::Result<ManifestFile> StageEmptyFile(const EpochId& id) const {
    const std::string name = layout_.StagedName(
        fmt::format("{:05}-empty-{}.staged", id.epoch, NewUuid(context_.random)));
    std::string contents;
    ARROW_ASSIGN_OR_RAISE(auto encoder, MakeFileEncoder(spec_, context_.zone));
    ARROW_RETURN_NOT_OK(encoder->Finish(&contents));
    ARROW_ASSIGN_OR_RAISE(auto file, context_.fs->Create(layout_.PathOf(name)));
    if (!contents.empty()) ARROW_RETURN_NOT_OK(file->Append(contents));
    if (context_.is_durable) ARROW_RETURN_NOT_OK(file->Sync());
    ARROW_RETURN_NOT_OK(file->Close());
    return ManifestFile{.staged_name = name,
                        .final_name = fmt::format("part-00000.{}", suffix_),
                        .size = static_cast<int64_t>(contents.size()),
                        .checksum = Hash64(contents)};
  }

  // Renames what is not renamed yet. In a redo a file that is at neither place was renamed before
  // and taken by a consumer since.
  arrow::Status FinishRenames(const SinkManifest& manifest, bool is_redo) {
    const size_t half = (manifest.files.size() + 1) / 2;
    size_t renamed = 0;
    for (const ManifestFile& file : manifest.files) {
      ARROW_RETURN_NOT_OK(RenameOne(file, is_redo));
      if (++renamed == half) Failpoint("sink.half_renamed");
    }
    epochs_.insert(manifest.epoch);
    return SyncDirectory(layout_.path());
  }

  arrow::Status RenameOne(const ManifestFile& file, bool is_redo) const {
    const std::string staged = layout_.PathOf(file.staged_name);
    const std::string target = layout_.PathOf(file.final_name);
    auto info = context_.fs->Stat(staged);
    if (!info.ok() && KindOf(info.status()) != ErrorKind::kNotFound) return info.status();
    if (info.ok()) {
      if (info->size != file.size) {
        return MakeError(ErrorKind::kCorrupt, "STAGED_FILE_CORRUPT",
                         fmt::format("staged file has another size: path={} expected={} actual={}",
                                     staged, file.size, info->size));
      }
      if (is_redo) ARROW_RETURN_NOT_OK(CheckContents(context_.fs, staged, file.checksum));
      return context_.fs->Rename(staged, target, RenameMode::kReplace);
    }
    if (!is_redo) {
      return MakeError(ErrorKind::kCorrupt, "STAGED_FILE_MISSING",
                       fmt::format("staged file is gone: path={}", staged));
    }
    auto published = context_.fs->Stat(target);
    if (published.ok()) return arrow::Status::OK();
    if (KindOf(published.status()) != ErrorKind::kNotFound) return published.status();
    LogWarn("published_file_gone").With("path", target);
    return arrow::Status::OK();
  }

  // Removes what other attempts at this epoch staged; workers cannot know that it is unwanted.
  arrow::Status RemoveStagedOf(int64_t epoch) const {
    ARROW_ASSIGN_OR_RAISE(const auto entries, context_.fs->List(layout_.staged_dir()));
    for (const FileInfo& entry : entries) {
      const std::string name = BaseName(entry.path);
      const auto staged_epoch = EpochOfName(std::string_view(name).substr(0, name.find('-')));
      if (staged_epoch && *staged_epoch <= epoch) {
        ARROW_RETURN_NOT_OK(context_.fs->Remove(entry.path));
      }
    }
    return arrow::Status::OK();
  }

  // Keeps a bounded number of manifests; the newest one is what recovery needs.
  arrow::Status Prune(int64_t newest) {
    epochs_.insert(newest);
    while (epochs_.size() > kManifestsKept) {
      ARROW_RETURN_NOT_OK(context_.fs->Remove(layout_.ManifestPath(*epochs_.begin())));
      epochs_.erase(epochs_.begin());
    }
    return arrow::Status::OK();
  }

  const SinkLayout layout_;
  const std::string job_uuid_;
  const std::string job_name_;
  const bool is_complete_;
  const SinkSpec spec_;
  const std::string suffix_;
  const SinkDriverContext context_;
  SinkOwner owner_;
  std::set<int64_t> epochs_;    // that have a manifest
  bool has_committed_ = false;  // an epoch since Open
};

}  // namespace

arrow::Result<std::unique_ptr<SinkDriver>> MakeFileSinkDriver(const SinkSpec& spec,
                                                              const SinkDriverContext& context) {
  return std::make_unique<FileSinkDriver>(spec, context);
}

}  // namespace tidemill::connectors
