#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// A number format of to_char and to_number: "S99,999.99", "$0.00", "999PR". 0 and 9 are digits (a
// run that begins with 0 wants them all), G or , separates thousands, D or . is the point, S and MI
// are signs, PR puts negative numbers in angle brackets. *Immutable.*
class NumberPattern {
 public:
  // Errors: INVALID_FORMAT.*, as Spark gives them.
  static arrow::Result<NumberPattern> Parse(std::string_view text);

  // The DECIMAL that the pattern reads.
  int precision() const;
  int scale() const { return fraction_digits_; }

  // Reads a number with scale() digits behind the point; false where the text does not follow the
  // pattern.
  bool Read(std::string_view text, __int128* out) const;
  // Writes a number of `scale` digits behind the point; '#' stand where it does not fit.
  std::string Write(__int128 value, int scale) const;

 private:
  enum class Kind { kDigits, kPoint, kDollar, kSign, kMinus, kOpen, kClose, kUnknown };
  // Digits between commas, all of which must be there or not.
  struct Run {
    int size = 0;
    bool is_exact = false;
  };
  struct Token {
    Kind kind;
    std::vector<Run> runs;  // of kDigits
    std::string text;       // as it is written
  };

  void Tokenize(std::string_view text);
  arrow::Status Check(std::string_view text) const;
  arrow::Status CheckOrder(std::string_view text) const;
  bool ReadWhole(std::string_view text, size_t* at, std::string* digits) const;
  bool ReadFraction(std::string_view text, size_t* at, std::string* digits) const;
  void WriteWhole(const std::vector<Run>& runs, std::string_view digits, bool fits,
                  std::string* out) const;

  std::vector<Token> tokens_;
  int whole_digits_ = 0, fraction_digits_ = 0;
  bool has_lone_comma_ = false, has_late_comma_ = false;
};

}  // namespace tidemill
