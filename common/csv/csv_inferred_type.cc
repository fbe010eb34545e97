#include "common/csv/csv_inferred_type.h"

#include <arrow/type.h>

#include <algorithm>

#include "common/csv/csv_values.h"
#include "common/types/ddl.h"
#include "common/types/value_parse.h"

namespace tidemill {

namespace {

constexpr int kMaxDecimalDigits = 38;
constexpr int kBigintDigits = 20;  // what Spark counts for a BIGINT among decimals
constexpr int kIntDigits = 10;

// Digits of a whole number, a point behind them too; 0 for other text.
int DigitsOf(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return 0;
  const size_t zeros = std::min(text.find_first_not_of('0'), text.size() - 1);
  return static_cast<int>(text.size() - zeros);
}

// yyyy-MM-dd, no digit less.
bool IsPlainDate(std::string_view text) {
  int32_t days = 0;
  return text.size() == 10 && text[4] == '-' && text[7] == '-' && ParseDate(text, &days);
}

}  // namespace

CsvInferredType::Found CsvInferredType::Classify(Kind from, std::string_view token,
                                                 const CsvOptions& options, const TimeZone& zone) {
  int64_t number = 0;
  if (from <= Kind::kBigint && CsvInteger(token, &number)) {
    const bool is_int = from <= Kind::kInt && number == static_cast<int32_t>(number);
    return {.kind = is_int ? Kind::kInt : Kind::kBigint};
  }
  if (from <= Kind::kDecimal) {
    const int digits = DigitsOf(token);
    if (digits > 0 && digits <= kMaxDecimalDigits)
      return {.kind = Kind::kDecimal, .digits = digits};
  }
  double real = 0;
  if (from <= Kind::kDouble && (CsvDouble(token, &real) || token == options.nan_value ||
                                token == options.negative_inf || token == options.positive_inf)) {
    return {.kind = Kind::kDouble};
  }
  int32_t days = 0;
  const DatetimePattern* const date = options.formats.date.get();
  if (from <= Kind::kDate && options.prefers_date &&
      (date == nullptr ? IsPlainDate(token) : CsvDate(token, date, &days))) {
    return {.kind = Kind::kDate};
  }
  if (from <= Kind::kTimestamp &&
      CsvTimestamp(token, options.formats.timestamp.get(), zone, &number)) {
    return {.kind = Kind::kTimestamp};
  }
  bool truth = false;
  if (from <= Kind::kBoolean && CsvBoolean(token, &truth)) return {.kind = Kind::kBoolean};
  return {.kind = Kind::kString};
}

void CsvInferredType::Add(std::string_view token, const CsvOptions& options, const TimeZone& zone) {
  if (token.empty() || token == options.format.null_value || kind_ == Kind::kString) return;
  const Found found = Classify(kind_, token, options, zone);
  const auto is_whole = [](Kind kind) { return kind == Kind::kInt || kind == Kind::kBigint; };
  if (found.kind == Kind::kDecimal || kind_ == Kind::kDecimal) {
    const Kind other = kind_ == Kind::kDecimal ? found.kind : kind_;
    int digits = std::max(digits_, found.digits);
    if (is_whole(other))
      digits = std::max(digits, other == Kind::kInt ? kIntDigits : kBigintDigits);
    const bool stays = is_whole(other) || other == Kind::kDecimal || other == Kind::kNothing;
    kind_ = stays ? Kind::kDecimal : other == Kind::kDouble ? Kind::kDouble : Kind::kString;
    digits_ = digits;
    return;
  }
  const bool is_number = kind_ <= Kind::kDouble && found.kind <= Kind::kDouble;
  kind_ = kind_ == Kind::kNothing || kind_ == found.kind ? found.kind
          : is_number                                    ? std::max(kind_, found.kind)
                                                         : Kind::kString;
}

std::shared_ptr<arrow::DataType> CsvInferredType::Finish() const {
  switch (kind_) {
    case Kind::kInt:
      return arrow::int32();
    case Kind::kBigint:
      return arrow::int64();
    case Kind::kDecimal:
      return arrow::decimal128(digits_, 0);
    case Kind::kDouble:
      return arrow::float64();
    case Kind::kDate:
      return arrow::date32();
    case Kind::kTimestamp:
      return TimestampType();
    case Kind::kBoolean:
      return arrow::boolean();
    default:
      return arrow::utf8();
  }
}

}  // namespace tidemill
