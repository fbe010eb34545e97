#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill {

// Text of JSON values to numbers; each returns false where the text does not suit.

// Digits of a scanned whole number. False where it does not fit.
bool JsonInteger(std::string_view digits, int64_t* out);
// A scanned number, also NaN and the infinities. Too large is infinite, too small is zero.
bool JsonReal(std::string_view text, double* out);
// NaN, INF, +Infinity, ...
bool JsonNonNumeric(std::string_view text, double* out);
// Base64 with padding; white space is skipped.
bool JsonBase64(std::string_view text, std::string* out);

}  // namespace tidemill
