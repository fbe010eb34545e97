#include "connectors/file/line_source.h"

#include <arrow/buffer.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>

#include "connectors/file/compression.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tidemill::connectors {

namespace {

// The first \n or \r in [from, end), or end.
const char* FindNewline(const char* from, const char* end) {
#if defined(__SSE2__)
  const __m128i line_feed = _mm_set1_epi8('\n');
  const __m128i carriage_return = _mm_set1_epi8('\r');
  for (; end - from >= 16; from += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const int mask = _mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, line_feed), _mm_cmpeq_epi8(bytes, carriage_return)));
    if (mask != 0) return from + __builtin_ctz(mask);
  }
#endif
  while (from != end && *from != '\n' && *from != '\r') ++from;
  return from;
}

bool IsCutAnywhere(const Split& split) {
  const auto compression = CompressionOf(split.path);
  return compression.ok() && *compression == arrow::Compression::UNCOMPRESSED;
}

}  // namespace

// One byte before the split tells whether a line begins right at its start.
LineSource::LineSource(const Split& split, LineRules rules, const ReaderContext& context)
    : rules_(std::move(rules)),
      owned_end_(IsCutAnywhere(split) ? split.end : std::numeric_limits<int64_t>::max()),
      blocks_(split, std::max<int64_t>(split.begin - 1, 0), context),
      needs_first_line_(split.begin > 0),
      is_done_(split.begin >= split.end) {}

const char* LineSource::FindEnd(const char* from) const {
  if (rules_.separator.empty()) return FindNewline(from, end_);
  const void* found = std::memchr(from, rules_.separator[0], end_ - from);
  return found == nullptr ? end_ : static_cast<const char*>(found);
}

const char* LineSource::SkipEnd(const char* at) {
  if (!rules_.separator.empty() || *at == '\n') return at + 1;
  if (at + 1 == end_) {
    skips_line_feed_ = true;
    return at + 1;
  }
  return at + (at[1] == '\n' ? 2 : 1);
}

void LineSource::SkipToFirstLine() {
  const char* const line_end = FindEnd(at_);
  if (line_end == end_) {
    at_ = end_;
    return;
  }
  at_ = SkipEnd(line_end);
  needs_first_line_ = false;
}

void LineSource::AppendCarry(const char* begin, const char* end) {
  if (!has_carry_) carry_offset_ = OffsetOf(begin);
  has_carry_ = true;
  const int64_t room = rules_.max_line_bytes - static_cast<int64_t>(carry_.size());
  if (end - begin > room) {
    carry_is_too_long_ = true;
    end = begin + room;
  }
  carry_.append(begin, end);
}

Line LineSource::TakeCarry() {
  carry_in_use_.swap(carry_);
  carry_in_use_offset_ = carry_offset_;
  return {.data = carry_in_use_.data(),
          .size = static_cast<uint32_t>(carry_in_use_.size()),
          .is_too_long = carry_is_too_long_};
}

int64_t LineSource::FileOffsetOf(const char* at) const {
  const std::less_equal<> is_up_to;  // pointers into different objects
  const char* const carried = carry_in_use_.data();
  if (is_up_to(carried, at) && is_up_to(at, carried + carry_in_use_.size())) {
    return carry_in_use_offset_ + (at - carried);
  }
  return OffsetOf(at);
}

void LineSource::TakeLines(int64_t max_lines, int64_t max_bytes, std::vector<Line>* lines) {
  int64_t bytes = 0;
  while (at_ != end_ && static_cast<int64_t>(lines->size()) < max_lines && bytes < max_bytes) {
    if (!has_carry_ && OffsetOf(at_) >= owned_end_) {
      is_done_ = true;
      return;
    }
    const char* const line_end = FindEnd(at_);
    if (line_end == end_) {
      AppendCarry(at_, end_);
      at_ = end_;
      return;
    }
    if (has_carry_) {
      AppendCarry(at_, line_end);
      lines->push_back(TakeCarry());
      carry_.clear();
      has_carry_ = false;
      carry_is_too_long_ = false;
    } else {
      const int64_t size = std::min<int64_t>(line_end - at_, rules_.max_line_bytes);
      lines->push_back(
          {.data = at_, .size = static_cast<uint32_t>(size), .is_too_long = size < line_end - at_});
    }
    bytes += lines->back().size;
    at_ = SkipEnd(line_end);
  }
}

arrow::Result<LineSource::Kind> LineSource::Next(int64_t max_lines, int64_t max_bytes,
                                                 std::vector<Line>* lines) {
  lines->clear();
  while (lines->empty()) {
    // At the end of the split a further block is only wanted by an open line, or by a first line
    // that was not found yet: then there is none.
    const bool is_behind = block_ != nullptr && at_ == end_ && OffsetOf(at_) >= owned_end_;
    if (is_done_ || (is_behind && !has_carry_)) return Kind::kEnd;
    if (at_ == end_) {
      ARROW_ASSIGN_OR_RAISE(BlockStream::Step step, blocks_.Next());
      if (step.kind == BlockStream::Kind::kPending) return Kind::kPending;
      if (step.kind == BlockStream::Kind::kEnd) {
        is_done_ = true;
        if (!has_carry_) return Kind::kEnd;
        lines->push_back(TakeCarry());
        return Kind::kLines;
      }
      block_ = std::move(step.block.bytes);
      block_offset_ = step.block.offset;
      block_begin_ = reinterpret_cast<const char*>(block_->data());
      at_ = block_begin_;
      end_ = block_begin_ + block_->size();
      if (std::exchange(skips_line_feed_, false) && *at_ == '\n') ++at_;
    }
    if (needs_first_line_) SkipToFirstLine();
    TakeLines(max_lines, max_bytes, lines);
  }
  return Kind::kLines;
}

}  // namespace tidemill::connectors
