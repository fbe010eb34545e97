#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

namespace tidemill {

// A pattern of java.text.DecimalFormat in English: "#,##0.00", "$#,##0;(#)", "0.0%". *Plain data.*
struct DecimalPattern {
  int least_whole = 0;  // digits before the point
  int least_fraction = 0, most_fraction = 0;
  int group = 0;   // digits between commas; 0: none
  int factor = 1;  // 100 for a percent sign
  std::string prefix, suffix, negative_prefix = "-", negative_suffix;

  // "#,##0" with `places` digits behind the point.
  static DecimalPattern WithPlaces(int places);
  // Errors: INVALID_PARAMETER_VALUE.DECIMAL_FORMAT; exponents ("0.#E0") are not supported.
  static arrow::Result<DecimalPattern> Parse(std::string_view text);

  // The text of a number whose magnitude has the digits `plain` ("12.50", rounded to most_fraction
  // digits).
  std::string Format(std::string_view plain, bool is_negative) const;
};

}  // namespace tidemill
