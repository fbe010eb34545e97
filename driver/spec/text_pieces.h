#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "driver/spec/job_spec.h"

namespace tidemill::driver {

// Finds how the value of a YAML scalar lies in the file: `text` is the file, `begin` where the
// scalar begins (its quote, its "|", its first character), `value` what YAML made of it. Exact or
// nothing: pieces are returned only where every byte of the value was found.
std::vector<TextPiece> FindTextPieces(std::string_view text, int32_t begin, std::string_view value);

// The offset in the file of a byte of the value (or of its end). `pieces` is not empty.
int32_t FileOffsetOf(const std::vector<TextPiece>& pieces, int32_t value_offset);

}  // namespace tidemill::driver
