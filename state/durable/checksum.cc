#include "state/durable/checksum.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {
constexpr int64_t kPieceBytes = 1 << 20;
}

struct Checksum::State {
  XXH3_state_t hash;
};

Checksum::Checksum() : state_(new State) { XXH3_64bits_reset(&state_->hash); }
Checksum::~Checksum() = default;

void Checksum::Update(std::string_view bytes) {
  if (!bytes.empty()) XXH3_64bits_update(&state_->hash, bytes.data(), bytes.size());
}

uint64_t Checksum::Digest() const { return XXH3_64bits_digest(&state_->hash); }

arrow::Result<FileChecksum> ChecksumFile(FileSystem* fs, const std::string& path,
                                         WritableFile* target) {
  ARROW_ASSIGN_OR_RAISE(auto file, fs->OpenForRead(path));
  ARROW_ASSIGN_OR_RAISE(const int64_t file_size, file->Size());
  std::string piece(std::clamp<int64_t>(file_size, 1, kPieceBytes), '\0');
  Checksum checksum;
  FileChecksum result;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(
        const int64_t got,
        file->ReadAt(result.size, static_cast<int64_t>(piece.size()), piece.data()));
    if (got == 0) break;
    const std::string_view bytes(piece.data(), got);
    checksum.Update(bytes);
    if (target != nullptr) ARROW_RETURN_NOT_OK(target->Append(bytes));
    result.size += got;
  }
  result.checksum = checksum.Digest();
  return result;
}

arrow::Status VerifyFile(FileSystem* fs, const std::string& path, const FileChecksum& expected,
                         WritableFile* target) {
  const auto actual = ChecksumFile(fs, path, target);
  if (!actual.ok()) {
    if (KindOf(actual.status()) != ErrorKind::kNotFound) return actual.status();
    return CorruptState(fmt::format("file of the checkpoint is missing: file={}", path));
  }
  if (actual->size != expected.size)
    return CorruptState(
        fmt::format("size of a checkpoint file differs: file={} expected={} "
                    "actual={}",
                    path, expected.size, actual->size));
  if (actual->checksum != expected.checksum)
    return CorruptState(fmt::format(
        "checksum of a checkpoint file differs: file={} offset=0 length={} expected={} actual={}",
        path, expected.size, HexOf(expected.checksum), HexOf(actual->checksum)));
  return arrow::Status::OK();
}

}  // namespace tidemill::state
