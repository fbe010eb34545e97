#include "driver/log/log_frame.h"

#include <fmt/format.h>

#include <cstring>

#include "common/base/check.h"
#include "common/base/hash.h"

namespace tidemill::driver {

namespace {

constexpr int64_t kChecksumAt = 4;
constexpr int64_t kPreviousAt = 12;
constexpr int64_t kMaxPayload = int64_t{1} << 31;

template <class Int>
Int Load(std::string_view text, int64_t offset) {
  Int value;
  std::memcpy(&value, text.data() + offset, sizeof(value));
  return value;
}

template <class Int>
void Store(Int value, char* out) {
  std::memcpy(out, &value, sizeof(value));
}

// Whether a valid frame begins at `offset`. Every payload is a LogRecord with one member: a tag of
// a length-delimited field, its length, and nothing after; asked first, for it is cheap.
bool IsFrame(std::string_view text, int64_t offset) {
  const int64_t left = static_cast<int64_t>(text.size()) - offset;
  if (left < kFrameHeaderSize) return false;
  const int64_t length = Load<uint32_t>(text, offset);
  if (length < 2 || length > left - kFrameHeaderSize) return false;
  const std::string_view payload = text.substr(offset + kFrameHeaderSize, length);
  if ((payload[0] & 0x07) != 2) return false;
  uint64_t inner = 0;
  size_t at = 1;
  for (int shift = 0; at < payload.size() && shift < 64; shift += 7) {
    const auto byte = static_cast<uint8_t>(payload[at++]);
    inner |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (inner != payload.size() - at) return false;
  return Load<uint64_t>(text, offset + kChecksumAt) ==
         Hash64(text.substr(offset + kPreviousAt, length + 8));
}

bool HasFrameAfter(std::string_view text, int64_t offset) {
  const int64_t last = static_cast<int64_t>(text.size()) - kFrameHeaderSize;
  for (int64_t at = offset + 1; at <= last; ++at) {
    if (IsFrame(text, at)) return true;
  }
  return false;
}

}  // namespace

uint64_t AppendFrame(std::string_view payload, uint64_t previous, std::string* out) {
  TIDEMILL_CHECK(static_cast<int64_t>(payload.size()) < kMaxPayload);
  const size_t begin = out->size();
  out->resize(begin + kFrameHeaderSize);
  out->append(payload);
  char* frame = out->data() + begin;
  Store(static_cast<uint32_t>(payload.size()), frame);
  Store(previous, frame + kPreviousAt);
  const uint64_t checksum = Hash64(frame + kPreviousAt, 8 + payload.size());
  Store(checksum, frame + kChecksumAt);
  return checksum;
}

ParsedFrames ParseFrames(std::string_view text) {
  ParsedFrames parsed;
  const auto fail = [&](std::string problem, std::string expected, std::string actual) {
    parsed.bad = BadFrame{.offset = parsed.length,
                          .problem = std::move(problem),
                          .expected = std::move(expected),
                          .actual = std::move(actual),
                          .is_at_end = !HasFrameAfter(text, parsed.length)};
    return parsed;
  };
  const auto size = static_cast<int64_t>(text.size());
  while (parsed.length < size) {
    const int64_t at = parsed.length;
    const int64_t left = size - at;
    if (left < kFrameHeaderSize) {
      return fail("length", fmt::format(">={}", kFrameHeaderSize), fmt::format("{}", left));
    }
    const int64_t length = Load<uint32_t>(text, at);
    if (length > left - kFrameHeaderSize) {
      return fail("length", fmt::format("{}", kFrameHeaderSize + length), fmt::format("{}", left));
    }
    const auto checksum = Load<uint64_t>(text, at + kChecksumAt);
    const uint64_t actual = Hash64(text.substr(at + kPreviousAt, length + 8));
    if (checksum != actual) return fail("checksum", HexOf(checksum), HexOf(actual));
    const auto previous = Load<uint64_t>(text, at + kPreviousAt);
    if (!parsed.frames.empty() && previous != parsed.frames.back().checksum) {
      fail("chain", HexOf(parsed.frames.back().checksum), HexOf(previous));
      parsed.bad->is_at_end = false;  // A whole record, but not ours: never what a crash leaves.
      return parsed;
    }
    parsed.frames.push_back({.offset = at,
                             .payload = text.substr(at + kFrameHeaderSize, length),
                             .previous = previous,
                             .checksum = checksum});
    parsed.length += kFrameHeaderSize + length;
  }
  return parsed;
}

}  // namespace tidemill::driver
