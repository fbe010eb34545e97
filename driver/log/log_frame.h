#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::driver {

// A record in a log file, little-endian: length of the payload (u32), checksum (u64, Hash64 of the
// rest of the frame), checksum of the record before it (u64; 0 for the first of all), payload. So
// a record's checksum covers all records before it: the chain hash.
constexpr int64_t kFrameHeaderSize = 20;

// Appends the frame to `out` and returns its checksum, the next frame's `previous`.
uint64_t AppendFrame(std::string_view payload, uint64_t previous, std::string* out);

struct Frame {
  int64_t offset = 0;
  std::string_view payload;  // of the text that was parsed
  uint64_t previous = 0;
  uint64_t checksum = 0;
};

// A place where no valid record begins.
struct BadFrame {
  int64_t offset = 0;
  std::string problem;   // "checksum", "chain", "length": what differs
  std::string expected;  // as the frame says
  std::string actual;    // as found
  // No valid record follows: what a crash while appending leaves. False: records were damaged.
  bool is_at_end = false;
};

struct ParsedFrames {
  std::vector<Frame> frames;    // up to the first bad one
  int64_t length = 0;           // of these
  std::optional<BadFrame> bad;  // nothing: the text ends with the last frame
};

// Cuts a log file into frames. The first frame's `previous` is taken as it is; each later one must
// be the checksum before it.
ParsedFrames ParseFrames(std::string_view text);

}  // namespace tidemill::driver
