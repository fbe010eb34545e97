#include "common/csv/csv_decoder.h"

#include <arrow/array/data.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <limits>

#include "common/base/error.h"
#include "common/csv/column_maker.h"
#include "common/csv/csv_values.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

namespace tidemill {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

// A column with what counts as NULL and where bad records are marked.
class CsvDecoder::Tokens {
 public:
  Tokens(const CsvColumn& column, std::string_view null_value, std::vector<uint8_t>* bad_rows)
      : column_(column), null_value_(null_value), bad_rows_(bad_rows) {}

  size_t length() const { return column_.length; }
  std::string_view operator[](size_t i) const { return column_[i]; }

  // Gives value i by `parse(text)`, or false where it is NULL.
  template <class Parse>
  bool Take(size_t i, Parse parse) const {
    const std::string_view text = column_[i];
    if (text == null_value_) return false;
    if (parse(text)) return true;
    (*bad_rows_)[i] = 1;
    return false;
  }

 private:
  const CsvColumn& column_;
  const std::string_view null_value_;
  std::vector<uint8_t>* const bad_rows_;
};

template <class T, class Parse>
CsvDecoder::ArrayResult CsvDecoder::DecodeFixed(const TypePointer& type, const Tokens& tokens,
                                                Parse parse) const {
  return MakeFixedColumn<T>({type, tokens.length(), pool_}, [&](size_t i, T* out) {
    return tokens.Take(i, [&](std::string_view text) { return parse(text, out); });
  });
}

template <class T>
CsvDecoder::ArrayResult CsvDecoder::DecodeInteger(const TypePointer& type,
                                                  const Tokens& tokens) const {
  return DecodeFixed<T>(type, tokens, [](std::string_view text, T* out) {
    int64_t number = 0;
    if (!CsvInteger(text, &number)) return false;
    *out = static_cast<T>(number);
    return *out == number;
  });
}

template <class T, class Parse>
CsvDecoder::ArrayResult CsvDecoder::DecodeReal(const TypePointer& type, const Tokens& tokens,
                                               Parse parse) const {
  return DecodeFixed<T>(type, tokens, [&](std::string_view text, T* out) {
    if (text == options_.nan_value) {
      *out = std::numeric_limits<T>::quiet_NaN();
    } else if (text == options_.negative_inf) {
      *out = -std::numeric_limits<T>::infinity();
    } else if (text == options_.positive_inf) {
      *out = std::numeric_limits<T>::infinity();
    } else {
      return parse(text, out);
    }
    return true;
  });
}

bool CsvDecoder::Decodes(const arrow::DataType& type) {
  return type.num_fields() == 0 && type.id() != arrow::Type::NA && type.id() != arrow::Type::STRUCT;
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> CsvDecoder::Decode(
    const std::shared_ptr<arrow::DataType>& type, const CsvColumn& column,
    std::vector<uint8_t>* bad_rows) const {
  const Tokens tokens(column, options_.format.null_value, bad_rows);
  switch (type->id()) {
    case arrow::Type::BOOL:
      return MakeBooleanColumn({type, tokens.length(), pool_}, [&](size_t i, bool* out) {
        return tokens.Take(i, [&](std::string_view text) { return CsvBoolean(text, out); });
      });
    case arrow::Type::INT8:
      return DecodeInteger<int8_t>(type, tokens);
    case arrow::Type::INT16:
      return DecodeInteger<int16_t>(type, tokens);
    case arrow::Type::INT32:
      return DecodeInteger<int32_t>(type, tokens);
    case arrow::Type::INT64:
      return DecodeInteger<int64_t>(type, tokens);
    case arrow::Type::FLOAT:
      return DecodeReal<float>(type, tokens, CsvFloat);
    case arrow::Type::DOUBLE:
      return DecodeReal<double>(type, tokens, CsvDouble);
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type);
      return DecodeFixed<arrow::Decimal128>(
          type, tokens, [&](std::string_view text, arrow::Decimal128* out) {
            return CsvDecimal(text, decimal.precision(), decimal.scale(), out);
          });
    }
    case arrow::Type::DATE32:
      return DecodeFixed<int32_t>(type, tokens, [&](std::string_view text, int32_t* out) {
        return CsvDate(text, options_.formats.date.get(), out);
      });
    case arrow::Type::TIMESTAMP: {
      const bool is_instant = IsInstantType(*type);
      return DecodeFixed<int64_t>(type, tokens, [&](std::string_view text, int64_t* out) {
        return is_instant ? CsvTimestamp(text, options_.formats.timestamp.get(), zone_, out)
                          : CsvTimestampNtz(text, options_.formats.timestamp_ntz.get(), out);
      });
    }
    case arrow::Type::INTERVAL_MONTHS:
      return DecodeFixed<int32_t>(type, tokens, [](std::string_view text, int32_t* out) {
        return CsvInterval(text, kYearToMonth, out);
      });
    case arrow::Type::DURATION:
      return DecodeFixed<int64_t>(
          type, tokens, [is_day = IsDayInterval(*type)](std::string_view text, int64_t* out) {
            constexpr int64_t kMicros = 1'000'000;
            if (!CsvInterval(text, is_day ? kDayOnly : kDayToSecond, out)) return false;
            if (is_day) *out /= kMicros;
            return true;
          });
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      // A malformed one is NULL, but no reason to call the record bad.
      return MakeFixedColumn<MonthDayNanos>(
          {type, tokens.length(), pool_}, [&](size_t i, MonthDayNanos* out) {
            return tokens[i] != options_.format.null_value && CsvCalendarInterval(tokens[i], out);
          });
    case arrow::Type::BINARY:
    case arrow::Type::STRING: {
      int64_t most = 0;
      for (size_t i = 0; i < tokens.length(); ++i) most += static_cast<int64_t>(tokens[i].size());
      return MakeBytesColumn({type, tokens.length(), pool_}, most,
                             [&](size_t i, std::string_view* out) {
                               *out = tokens[i];
                               return tokens.Take(i, [](std::string_view) { return true; });
                             });
    }
    default:
      return MakeError(ErrorKind::kBug, "INTERNAL_ERROR",
                       fmt::format("csv reader: type={}", type->ToString()));
  }
}

}  // namespace tidemill
