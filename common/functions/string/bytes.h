#pragma once

#include <string>
#include <vector>

#include "common/functions/signature.h"

namespace tidemill {

// The function with a form for BINARY: taken where the arguments at `places` that are given are all
// BINARY. `usage` and name are those of `text`.
FunctionInfo WithBinaryForm(FunctionInfo text, std::vector<size_t> places, Signature binary);

// The forms for BINARY of functions of text: positions and lengths are in bytes, padding is zero.
Signature BinarySubstring();
Signature BinaryLeft();
Signature BinaryPad(bool is_left);
Signature BinaryOverlay();
Signature BinaryConcat();
Signature BinaryReverse();

}  // namespace tidemill
