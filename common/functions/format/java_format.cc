#include "common/functions/format/java_format.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/base/error.h"
#include "common/functions/format/digits.h"
#include "common/functions/string/characters.h"

namespace tidemill {

namespace {

using Other = JavaArgument::Other;
using Integer = JavaArgument::Integer;

arrow::Status BadFormat(std::string_view what, std::string_view piece) {
  return MakeError(ErrorKind::kJobFailed, "INVALID_PARAMETER_VALUE.FORMAT_STRING",
                   fmt::format("The value of parameter(s) `strfmt` in `format_string` is invalid: "
                               "{}: '{}'.",
                               what, piece));
}

std::string Upper(std::string_view text) {
  std::string upper;
  while (!text.empty()) {
    utf8proc_int32_t c = 0;
    const auto read = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &c);
    const size_t size = read > 0 ? static_cast<size_t>(read) : 1;
    char encoded[4];
    const auto length = read > 0
                            ? utf8proc_encode_char(utf8proc_toupper(c),
                                                   reinterpret_cast<utf8proc_uint8_t*>(encoded))
                            : 0;
    upper += length > 0 ? std::string_view(encoded, length) : text.substr(0, size);
    text.remove_prefix(size);
  }
  return upper;
}

// Length in Java's characters: those beyond U+FFFF count twice.
int64_t JavaLength(std::string_view text) {
  const auto pairs = std::count_if(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) >= 0xF0; });
  return CountCharacters(text) + pairs;
}

std::string_view JavaPrefix(std::string_view text, int64_t length) {
  size_t at = 0;
  for (; at < text.size() && length > 0; at += BytesOfCharacters(text.substr(at), 1)) {
    length -= static_cast<unsigned char>(text[at]) >= 0xF0 ? 2 : 1;
  }
  return text.substr(0, at);
}

bool IsReal(char conversion) { return conversion == 'e' || conversion == 'f' || conversion == 'g'; }
bool IsWhole(char conversion) {
  return conversion == 'd' || conversion == 'o' || conversion == 'x';
}

}  // namespace

arrow::Result<JavaFormat> JavaFormat::Parse(std::string_view text) {
  JavaFormat format;
  int next = 0, last = -1;
  while (!text.empty()) {
    const size_t percent = text.find('%');
    if (percent > 0) {
      format.pieces_.push_back({.text = std::string(text.substr(0, percent))});
      text.remove_prefix(std::min(percent, text.size()));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(Piece piece, ParseConversion(&text, &next, &last));
    format.pieces_.push_back(std::move(piece));
  }
  return format;
}

// Reads "%[index$][flags][width][.precision]conversion".
arrow::Result<JavaFormat::Piece> JavaFormat::ParseConversion(std::string_view* rest, int* next,
                                                             int* last) {
  const std::string_view all = *rest;
  Piece piece;
  size_t at = 1;
  const auto number = [&](int* out) {
    const auto parsed = std::from_chars(all.data() + at, all.data() + all.size(), *out);
    at = parsed.ptr - all.data();
    return parsed.ec == std::errc();
  };
  int index = -1;
  size_t digits = at;
  while (digits < all.size() && all[digits] >= '0' && all[digits] <= '9') ++digits;
  if (digits > at && digits < all.size() && all[digits] == '$') {
    if (!number(&index)) return BadFormat("the index is too large", all.substr(0, digits + 1));
    ++at;
    if (index == 0) {
      return MakeError(ErrorKind::kJobFailed, "INVALID_PARAMETER_VALUE.ZERO_INDEX",
                       "The value of parameter(s) `strfmt` in `format_string` is invalid: expects "
                       "%1$, %2$ and so on, but got %0$.");
    }
  }
  bool is_previous = false;
  for (; at < all.size(); ++at) {
    bool* flag = nullptr;
    switch (all[at]) {
      case '-':
        flag = &piece.is_left;
        break;
      case '#':
        flag = &piece.is_alternate;
        break;
      case '+':
        flag = &piece.has_plus;
        break;
      case ' ':
        flag = &piece.has_blank;
        break;
      case '0':
        flag = &piece.has_zeros;
        break;
      case ',':
        flag = &piece.has_groups;
        break;
      case '(':
        flag = &piece.has_parentheses;
        break;
      case '<':
        flag = &is_previous;
        break;
      default:
        break;
    }
    if (flag == nullptr) break;
    if (*flag) return BadFormat("a flag is repeated", all.substr(0, at + 1));
    *flag = true;
  }
  const auto is_digit = [&] { return at < all.size() && all[at] >= '0' && all[at] <= '9'; };
  if (is_digit() && !number(&piece.width))
    return BadFormat("the width is too large", all.substr(0, at));
  if (at < all.size() && all[at] == '.') {
    ++at;
    if (!is_digit() || !number(&piece.precision))
      return BadFormat("bad precision", all.substr(0, at));
  }
  if (at >= all.size()) return BadFormat("the conversion is missing", all);
  const char letter = all[at++];
  piece.text = all.substr(0, at);
  piece.is_upper = letter >= 'A' && letter <= 'Z';
  piece.conversion = piece.is_upper ? static_cast<char>(letter | 0x20) : letter;
  ARROW_RETURN_NOT_OK(Check(piece));
  if (piece.conversion != '%' && piece.conversion != 'n') {
    piece.argument = index > 0 ? index - 1 : is_previous ? *last : (*next)++;
    if (piece.argument < 0) return BadFormat("there is no argument before it", piece.text);
    *last = piece.argument;
  }
  rest->remove_prefix(at);
  return piece;
}

arrow::Status JavaFormat::Check(const Piece& piece) {
  const char c = piece.conversion;
  const bool can_be_upper = c == 's' || c == 'b' || c == 'c' || c == 'x' || c == 'e' || c == 'g';
  constexpr std::string_view kKnown = "sbcdoxefgn%";
  if (kKnown.find(c) == std::string_view::npos || (piece.is_upper && !can_be_upper)) {
    return BadFormat("the conversion is not supported", piece.text);
  }
  if ((piece.is_left || piece.has_zeros) && piece.width < 0) {
    return BadFormat("the width is missing", piece.text);
  }
  if ((piece.is_left && piece.has_zeros) || (piece.has_plus && piece.has_blank)) {
    return BadFormat("flags contradict each other", piece.text);
  }
  const bool takes_no_precision = IsWhole(c) || c == 'c' || c == 'n' || c == '%';
  if (takes_no_precision && piece.precision >= 0) {
    return BadFormat("it takes no precision", piece.text);
  }
  const bool has_number_flag = piece.has_plus || piece.has_blank || piece.has_zeros ||
                               piece.has_groups || piece.has_parentheses;
  const bool is_number = IsReal(c) || IsWhole(c);
  const bool is_bits = c == 'o' || c == 'x';
  if ((!is_number && has_number_flag) || (piece.is_alternate && !is_bits) ||
      (is_bits &&
       (piece.has_plus || piece.has_blank || piece.has_groups || piece.has_parentheses)) ||
      (c == 'e' && piece.has_groups)) {
    return BadFormat("the conversion does not take the flag", piece.text);
  }
  return arrow::Status::OK();
}

arrow::Status JavaFormat::Append(const std::vector<JavaArgument>& args, std::string* out) const {
  for (const Piece& piece : pieces_) {
    if (piece.conversion == 0) {
      *out += piece.text;
    } else if (piece.conversion == 'n') {
      *out += '\n';
    } else if (piece.argument >= static_cast<int>(args.size())) {
      return BadFormat("the argument is missing", piece.text);
    } else {
      const JavaArgument none{};
      ARROW_RETURN_NOT_OK(
          AppendPiece(piece, piece.argument < 0 ? none : args[piece.argument], out));
    }
  }
  return arrow::Status::OK();
}

arrow::Status JavaFormat::AppendPiece(const Piece& piece, const JavaArgument& argument,
                                      std::string* out) {
  std::string text = "%";
  if (piece.conversion != '%') {
    ARROW_ASSIGN_OR_RAISE(text, Converted(piece, argument));
  }
  if (piece.is_upper) text = Upper(text);
  const int64_t missing = std::max<int64_t>(piece.width - JavaLength(text), 0);
  if (!piece.is_left) out->append(missing, ' ');
  *out += text;
  if (piece.is_left) out->append(missing, ' ');
  return arrow::Status::OK();
}

// The sign in its form, groups of three digits and zeros up to the width.
std::string JavaFormat::Signed(const Piece& piece, bool is_negative, std::string digits,
                               bool takes_zeros) {
  if (piece.has_groups && takes_zeros) digits = GroupedDigits(digits);
  std::string head, tail;
  if (is_negative) {
    head = piece.has_parentheses ? "(" : "-";
    if (piece.has_parentheses) tail = ")";
  } else if (piece.has_plus || piece.has_blank) {
    head = piece.has_plus ? "+" : " ";
  }
  const int64_t size = static_cast<int64_t>(head.size() + digits.size() + tail.size());
  if (piece.has_zeros && takes_zeros && piece.width > size) head.append(piece.width - size, '0');
  return head + digits + tail;
}

std::string JavaFormat::Real(const Piece& piece, double value, std::string_view shortest) {
  const bool is_negative = std::signbit(value) && !std::isnan(value);
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return Signed(piece, is_negative, "Infinity", false);
  DecimalDigits digits = DecimalDigits::Parse(shortest);
  const int precision = piece.precision < 0 ? 6 : piece.precision;
  if (piece.conversion == 'f') return Signed(piece, is_negative, digits.Fixed(precision), true);
  if (piece.conversion == 'e') {
    return Signed(piece, is_negative, digits.Scientific(precision), true);
  }
  const int significant = std::max(precision, 1);
  DecimalDigits rounded = digits;
  rounded.RoundToSignificant(significant);
  const int exponent = rounded.exponent();
  const bool is_plain = rounded.is_zero() || (exponent >= -4 && exponent < significant);
  std::string text = is_plain ? digits.Fixed(significant - 1 - (rounded.is_zero() ? 0 : exponent))
                              : digits.Scientific(significant - 1);
  return Signed(piece, is_negative, std::move(text), true);
}

arrow::Result<std::string> JavaFormat::Converted(const Piece& piece, const JavaArgument& argument) {
  const auto& value = argument.value;
  const char c = piece.conversion;
  const auto cut = [&](std::string_view text) {
    return std::string(piece.precision < 0 ? text : JavaPrefix(text, piece.precision));
  };
  if (c == 'b') {
    const bool* flag = std::get_if<bool>(&value);
    const bool is_true =
        flag != nullptr ? *flag : !std::holds_alternative<JavaArgument::Null>(value);
    return cut(is_true ? "true" : "false");
  }
  if (std::holds_alternative<JavaArgument::Null>(value)) return cut("null");
  if (c == 's') {
    if (const auto* text = std::get_if<std::string_view>(&value)) return cut(*text);
    if (const auto* other = std::get_if<Other>(&value)) return cut(other->text);
    if (const auto* whole = std::get_if<Integer>(&value))
      return cut(fmt::format("{}", whole->value));
    if (const auto* flag = std::get_if<bool>(&value)) return cut(*flag ? "true" : "false");
    const auto* wide = std::get_if<double>(&value);
    return cut(wide != nullptr ? JavaText(*wide) : JavaText(std::get<float>(value)));
  }
  if (const auto* whole = std::get_if<Integer>(&value)) {
    if (c == 'c') {
      char encoded[4];
      const auto code = static_cast<utf8proc_int32_t>(whole->value);
      if (whole->bits > 32 || !utf8proc_codepoint_valid(code)) {
        return BadFormat("the argument is no character", piece.text);
      }
      const auto size = utf8proc_encode_char(code, reinterpret_cast<utf8proc_uint8_t*>(encoded));
      return std::string(encoded, size);
    }
    if (c == 'd') {
      const bool is_negative = whole->value < 0;
      const auto magnitude = is_negative ? ~static_cast<uint64_t>(whole->value) + 1
                                         : static_cast<uint64_t>(whole->value);
      return Signed(piece, is_negative, fmt::format("{}", magnitude), true);
    }
    if (IsWhole(c)) {
      const uint64_t mask = whole->bits == 64 ? ~uint64_t{0} : (uint64_t{1} << whole->bits) - 1;
      const uint64_t bits = static_cast<uint64_t>(whole->value) & mask;
      std::string digits = c == 'x' ? fmt::format("{:x}", bits) : fmt::format("{:o}", bits);
      const std::string prefix = !piece.is_alternate ? "" : c == 'x' ? "0x" : "0";
      const int64_t size = static_cast<int64_t>(prefix.size() + digits.size());
      if (piece.has_zeros && piece.width > size) digits.insert(0, piece.width - size, '0');
      return prefix + digits;
    }
  }
  if (IsReal(c)) {
    if (const auto* wide = std::get_if<double>(&value)) return Real(piece, *wide, JavaText(*wide));
    if (const auto* narrow = std::get_if<float>(&value)) {
      return Real(piece, *narrow, JavaText(*narrow));
    }
  }
  return BadFormat("the argument is of another type than the conversion takes", piece.text);
}

}  // namespace tidemill
