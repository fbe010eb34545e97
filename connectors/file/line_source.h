#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/file/block_stream.h"
#include "connectors/source.h"

namespace tidemill::connectors {

// One line without its end. *Plain data.*
struct Line {
  const char* data = nullptr;
  uint32_t size = 0;
  bool is_too_long = false;  // `size` bytes are there, the line has more
};

struct LineRules {
  std::string separator;       // one character, or "" for \n, \r\n and a lone \r
  int64_t max_line_bytes = 0;  // longer lines are cut and marked
};

// The lines that begin in a split. A line begins at the start of the file and behind each line end;
// the last one needs no end, an empty rest is no line. Every line of a file begins in exactly one
// of its splits, wherever they are cut. *Thread-compatible.*
class LineSource {
 public:
  LineSource(const Split& split, LineRules rules, const ReaderContext& context);

  enum class Kind { kLines, kPending, kEnd };
  // Replaces `lines` by the next ones: up to `max_lines`, and no more once `max_bytes` are
  // exceeded; their memory lives until the next call. Fewer only where a block ends, so the cuts
  // are the same whenever the split is read.
  arrow::Result<Kind> Next(int64_t max_lines, int64_t max_bytes, std::vector<Line>* lines);

  // Where a byte of the lines that the last call handed out is in the (uncompressed) file.
  int64_t FileOffsetOf(const char* at) const;

 private:
  // Leaves the block at the first line that begins at split.begin or behind.
  void SkipToFirstLine();
  void TakeLines(int64_t max_lines, int64_t max_bytes, std::vector<Line>* lines);
  // Returns the first line end at or after `from`, or `end_`.
  const char* FindEnd(const char* from) const;
  // Moves behind the line end at `at`.
  const char* SkipEnd(const char* at);
  void AppendCarry(const char* begin, const char* end);
  Line TakeCarry();
  int64_t OffsetOf(const char* at) const { return block_offset_ + (at - block_begin_); }

  const LineRules rules_;
  const int64_t owned_end_;  // lines that begin here or behind are not ours
  BlockStream blocks_;

  std::shared_ptr<arrow::Buffer> block_;
  int64_t block_offset_ = 0;
  const char* block_begin_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;

  std::string carry_;         // the begin of a line that goes on in the next block
  std::string carry_in_use_;  // the one that the last call handed out
  int64_t carry_offset_ = 0;  // where the line of carry_ begins
  int64_t carry_in_use_offset_ = 0;
  bool has_carry_ = false;  // a line is open, be it empty so far
  bool carry_is_too_long_ = false;
  bool needs_first_line_;         // still looking for the first line that begins in the split
  bool skips_line_feed_ = false;  // the block before ended in \r
  bool is_done_ = false;
};

}  // namespace tidemill::connectors
