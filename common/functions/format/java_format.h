#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tidemill {

// One argument as java.util.Formatter sees it. *Plain data.*
struct JavaArgument {
  struct Null {};
  struct Integer {
    int64_t value = 0;
    int bits = 32;  // %x and %o write a negative number in two's complement of so many
  };
  struct Other {
    std::string_view text;  // for %s alone
  };
  std::variant<Null, bool, Integer, double, float, std::string_view, Other> value;
};

// A format string of java.util.Formatter. *Immutable.*
class JavaFormat {
 public:
  // Errors: INVALID_PARAMETER_VALUE.FORMAT_STRING, INVALID_PARAMETER_VALUE.ZERO_INDEX.
  static arrow::Result<JavaFormat> Parse(std::string_view text);
  // Appends to `out`. Errors: as Parse, for a conversion that the argument does not fit or that has
  // no argument.
  arrow::Status Append(const std::vector<JavaArgument>& args, std::string* out) const;

 private:
  struct Piece {
    std::string text;     // of a literal piece, and of a conversion as it is written
    char conversion = 0;  // 0: literal; else in lower case
    bool is_upper = false;
    int argument = -1;  // from 0
    int width = -1, precision = -1;
    bool is_left = false, is_alternate = false, has_plus = false, has_blank = false;
    bool has_zeros = false, has_groups = false, has_parentheses = false;
  };
  static arrow::Result<Piece> ParseConversion(std::string_view* rest, int* next, int* last);
  static arrow::Status Check(const Piece& piece);
  static arrow::Status AppendPiece(const Piece& piece, const JavaArgument& argument,
                                   std::string* out);
  static arrow::Result<std::string> Converted(const Piece& piece, const JavaArgument& argument);
  static std::string Signed(const Piece& piece, bool is_negative, std::string digits,
                            bool takes_zeros);
  static std::string Real(const Piece& piece, double value, std::string_view shortest);

  std::vector<Piece> pieces_;
};

}  // namespace tidemill
