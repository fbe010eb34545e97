#include "state/durable/changelog.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/base/hash.h"
#include "state/durable/checksum.h"
#include "state/table/row_codec.h"

// An extent, little-endian: ExtentHeader, then `num_sections` times SectionHeader and a row block
// (row_block.cc) of `block_length` bytes. Nothing in between, nothing left over. Of version 2 all
// that is behind the header is packed (changelog_codec.h).
namespace tidemill::state {

namespace {

constexpr char kMagic[4] = {'T', 'M', 'C', 'L'};
constexpr uint32_t kPlainVersion = 1;
constexpr uint32_t kPackedVersion = 2;

// What is packed at a time: a cache still has it.
constexpr size_t kPackBytes = 256 << 10;

struct ExtentHeader {
  char magic[4];
  uint32_t version;
  int64_t epoch;
  uint32_t num_sections;
} __attribute__((packed));

struct SectionHeader {
  int32_t operator_id;
  uint32_t key_group;
  int64_t unchanged_since;
  uint64_t block_length;
} __attribute__((packed));

template <class Header>
std::string_view BytesOf(const Header& header) {
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

template <class Header>
bool TakeHeader(std::string_view* bytes, Header* header) {
  if (bytes->size() < sizeof(Header)) return false;
  std::memcpy(header, bytes->data(), sizeof(Header));
  bytes->remove_prefix(sizeof(Header));
  return true;
}

arrow::Status BadExtent(const Extent& extent, std::string_view what) {
  return CorruptState(fmt::format("changelog extent {}: file={} offset={} length={} epoch={}", what,
                                  extent.file, extent.offset, extent.length, extent.epoch));
}

}  // namespace

void ChangelogSections::Add(int32_t operator_id, uint32_t key_group, const HotTable& table) {
  if (table.changed_rows().empty()) return;
  table.ExportChanges(&block_);
  AddRows(operator_id, key_group, table.last_changed_epoch(), block_);
}

void ChangelogSections::AddRows(int32_t operator_id, uint32_t key_group, int64_t unchanged_since,
                                const RowBlock& rows) {
  PodVector<uint8_t>& bytes = is_packed() ? unpacked_ : bytes_;
  const size_t at = bytes.size();
  SectionHeader header = {operator_id, key_group, unchanged_since, 0};
  bytes.Resize(at + sizeof(header));
  SerialiseRowBlock(rows, &bytes);
  header.block_length = bytes.size() - at - sizeof(header);
  std::memcpy(bytes.data() + at, &header, sizeof(header));
  key_groups_.push_back(key_group);
  num_rows_ += rows.num_rows;
  if (unpacked_.size() >= kPackBytes) PackPending();
}

void ChangelogSections::PackPending() {
  const std::string_view pending(reinterpret_cast<const char*>(unpacked_.data()), unpacked_.size());
  if (packed_.ok()) packed_ = Pack(codec_, pending, &bytes_);
  unpacked_.Clear();
}

arrow::Status ChangelogSections::Seal() {
  PackPending();
  unpacked_ = {};
  return packed_;
}

void ChangelogSections::Clear() {
  bytes_.Clear();
  unpacked_.Clear();
  packed_ = arrow::Status::OK();
  key_groups_.clear();
  num_rows_ = 0;
}

arrow::Result<std::unique_ptr<ChangelogSegment>> ChangelogSegment::Create(Options options) {
  std::string name =
      fmt::format("changelog-{}-{}-{}", options.worker, options.incarnation, options.sequence);
  ARROW_ASSIGN_OR_RAISE(auto file, options.fs->Create(JoinPath(options.state_dir, name)));
  if (options.is_durable) ARROW_RETURN_NOT_OK(options.fs->SyncDirectory(options.state_dir));
  return std::unique_ptr<ChangelogSegment>(
      new ChangelogSegment(std::move(file), std::move(name), options.is_durable));
}

ChangelogSegment::ChangelogSegment(std::unique_ptr<WritableFile> file, std::string name,
                                   bool is_durable)
    : file_(std::move(file)), name_(std::move(name)), is_durable_(is_durable) {}

arrow::Result<Extent> ChangelogSegment::Append(int64_t epoch,
                                               std::span<const ChangelogSections* const> slots) {
  if (is_broken_)
    return MakeError(ErrorKind::kGeneral, "CHANGELOG_BROKEN",
                     fmt::format("an earlier write to this segment failed: file={}", name_));
  Extent extent;
  extent.file = name_;
  extent.offset = size_;
  extent.epoch = epoch;
  const bool is_packed = !slots.empty() && slots[0]->is_packed();
  ExtentHeader header = {{}, is_packed ? kPackedVersion : kPlainVersion, epoch, 0};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  for (const ChangelogSections* slot : slots) {
    TIDEMILL_CHECK(slot->is_packed() == is_packed);
    header.num_sections += slot->num_sections();
    extent.key_groups.insert(extent.key_groups.end(), slot->key_groups().begin(),
                             slot->key_groups().end());
  }
  std::sort(extent.key_groups.begin(), extent.key_groups.end());
  extent.key_groups.erase(std::unique(extent.key_groups.begin(), extent.key_groups.end()),
                          extent.key_groups.end());
  // Piece by piece: an extent may be as large as the state.
  std::vector<std::string_view> pieces = {BytesOf(header)};
  for (const ChangelogSections* slot : slots) pieces.push_back(slot->bytes());
  Checksum checksum;
  is_broken_ = true;
  for (const std::string_view piece : pieces) {
    checksum.Update(piece);
    ARROW_RETURN_NOT_OK(file_->Append(piece));
    extent.length += static_cast<int64_t>(piece.size());
  }
  is_broken_ = false;
  extent.checksum = checksum.Digest();
  size_ += extent.length;
  return extent;
}

arrow::Status ChangelogSegment::Sync() {
  if (!is_durable_) return arrow::Status::OK();
  arrow::Status status = file_->Sync();
  if (!status.ok()) is_broken_ = true;
  return status;
}

arrow::Result<std::string> ReadExtent(FileSystem* fs, const std::string& state_dir,
                                      const Extent& extent) {
  const std::string path = JoinPath(state_dir, extent.file);
  auto file = fs->OpenForRead(path);
  if (!file.ok()) {
    if (KindOf(file.status()) != ErrorKind::kNotFound) return file.status();
    return BadExtent(extent, "has no file");
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t size, (*file)->Size());
  if (extent.offset < 0 || extent.length < 0 || extent.length > size - extent.offset)
    return BadExtent(extent, fmt::format("reaches beyond the {} bytes of its file", size));
  std::string bytes(extent.length, '\0');
  ARROW_ASSIGN_OR_RAISE(const int64_t got,
                        (*file)->ReadAt(extent.offset, extent.length, bytes.data()));
  if (got != extent.length) return BadExtent(extent, "ends early");
  if (const uint64_t actual = Hash64(bytes); actual != extent.checksum)
    return CorruptState(fmt::format(
        "checksum of a changelog extent differs: file={} offset={} length={} expected={} actual={}",
        extent.file, extent.offset, extent.length, HexOf(extent.checksum), HexOf(actual)));
  ExtentHeader header;
  std::string_view rest = bytes;
  if (!TakeHeader(&rest, &header) || header.version != kPackedVersion) return bytes;
  header.version = kPlainVersion;
  std::string plain(BytesOf(header));
  if (const arrow::Status unpacked = Unpack(rest, &plain); !unpacked.ok()) {
    return BadExtent(extent, fmt::format("cannot be unpacked ({})", unpacked.message()));
  }
  return plain;
}

arrow::Status ForEachSection(const Extent& extent, std::string_view bytes,
                             const std::function<arrow::Status(const ChangelogSection&)>& visit) {
  ExtentHeader header;
  if (!TakeHeader(&bytes, &header) || std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0)
    return BadExtent(extent, "does not begin as one");
  if (header.version != kPlainVersion)
    return BadExtent(extent, fmt::format("is of unknown version {}", uint32_t{header.version}));
  if (header.epoch != extent.epoch)
    return BadExtent(extent, fmt::format("is of another epoch {}", int64_t{header.epoch}));
  for (uint32_t i = 0; i < header.num_sections; ++i) {
    SectionHeader section;
    if (!TakeHeader(&bytes, &section) || section.block_length > bytes.size())
      return BadExtent(extent, "has a section that ends early");
    ARROW_RETURN_NOT_OK(visit({.operator_id = section.operator_id,
                               .key_group = section.key_group,
                               .unchanged_since = section.unchanged_since,
                               .block = bytes.substr(0, section.block_length)}));
    bytes.remove_prefix(section.block_length);
  }
  if (!bytes.empty()) return BadExtent(extent, "has bytes left over");
  return arrow::Status::OK();
}

}  // namespace tidemill::state
