#pragma once

#include <array>
#include <cstdint>

#include "common/functions/string/pattern.h"

namespace tidemill {

// Finds the bytes of a set, 16 at a time. *Immutable.*
class ByteScanner {
 public:
  // Find may write this many positions more than it found.
  static constexpr int64_t kSlack = 64;

  // Bytes above 127 must be all in the set or all out of it.
  explicit ByteScanner(const ByteClass& bytes);

  // Writes where the bytes of the set are, ascending, and returns how many there are.
  int64_t Find(const char* data, int64_t size, int32_t* positions) const;
  int64_t Count(const char* data, int64_t size) const;

 private:
  template <class Matcher>
  int64_t FindWith(const Matcher& matcher, const char* data, int64_t size,
                   int32_t* positions) const;
  template <class Matcher>
  int64_t CountWith(const Matcher& matcher, const char* data, int64_t size) const;

  ByteClass bytes_;
  bool is_single_ = false;
  char single_ = 0;
  // low_[l] has bit h where byte 16 * h + l is in the set: two table look-ups classify 16 bytes.
  alignas(16) std::array<uint8_t, 16> low_{};
  alignas(16) std::array<uint8_t, 16> high_{};
};

}  // namespace tidemill
