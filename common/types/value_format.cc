#include "common/types/value_format.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include "common/types/civil_time.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"
#include "common/types/time_text.h"

namespace tidemill {

namespace {

// Renders values of all types by recursion over their columns.
class CastWriter {
 public:
  CastWriter(const TimeZone& zone, TextStyle style, std::string* out)
      : zone_(zone), style_(style), out_(out) {}

  void WriteValue(const arrow::ArrayData& data, int64_t row) {
    switch (data.type->id()) {
      case arrow::Type::BOOL:
        *out_ +=
            arrow::bit_util::GetBit(data.buffers[1]->data(), data.offset + row) ? "true" : "false";
        return;
      case arrow::Type::INT8:
        return AppendIntText(data.GetValues<int8_t>(1)[row], out_);
      case arrow::Type::INT16:
        return AppendIntText(data.GetValues<int16_t>(1)[row], out_);
      case arrow::Type::INT32:
        return AppendIntText(data.GetValues<int32_t>(1)[row], out_);
      case arrow::Type::INT64:
        return AppendIntText(data.GetValues<int64_t>(1)[row], out_);
      case arrow::Type::FLOAT:
        return AppendFloatText(data.GetValues<float>(1)[row], out_);
      case arrow::Type::DOUBLE:
        return AppendDoubleText(data.GetValues<double>(1)[row], out_);
      case arrow::Type::DECIMAL128:
        return WriteDecimal(data, row);
      case arrow::Type::STRING:
        out_->append(BytesAt(data, row));
        return;
      case arrow::Type::BINARY:
        return WriteBinary(BytesAt(data, row));
      case arrow::Type::DATE32:
        return AppendDateText(data.GetValues<int32_t>(1)[row], out_);
      case arrow::Type::TIMESTAMP:
        return WriteTimestamp(data, row);
      case arrow::Type::INTERVAL_MONTHS:
        return AppendIntervalText(data.GetValues<int32_t>(1)[row], kYearToMonth, out_);
      case arrow::Type::DURATION:
        return WriteDayTime(data, row);
      case arrow::Type::INTERVAL_MONTH_DAY_NANO:
        return WriteCalendarInterval(data, row);
      case arrow::Type::LIST:
        return WriteList(data, row);
      case arrow::Type::MAP:
        return WriteMap(data, row);
      case arrow::Type::STRUCT:
        return WriteStruct(data, row);
      default:  // VOID, whose values are all NULL
        return WriteNull();
    }
  }

 private:
  static std::string_view BytesAt(const arrow::ArrayData& data, int64_t row) {
    const auto* offsets = data.GetValues<int32_t>(1);
    return {data.GetValues<char>(2, 0) + offsets[row],
            static_cast<size_t>(offsets[row + 1] - offsets[row])};
  }

  void WriteNull() { *out_ += style_ == TextStyle::kShow ? "NULL" : "null"; }

  void WriteNested(const arrow::ArrayData& data, int64_t row) {
    if (data.IsNull(row)) {
      WriteNull();
    } else {
      WriteValue(data, row);
    }
  }

  void WriteDecimal(const arrow::ArrayData& data, int64_t row) {
    const arrow::Decimal128 value(data.buffers[1]->data() + (data.offset + row) * 16);
    AppendDecimalText(value, static_cast<const arrow::DecimalType&>(*data.type).scale(), out_);
  }

  void WriteBinary(std::string_view bytes) {
    if (style_ == TextStyle::kCast) {
      out_->append(bytes);
      return;
    }
    constexpr char kHex[] = "0123456789ABCDEF";
    *out_ += '[';
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (i > 0) *out_ += ' ';
      const auto byte = static_cast<unsigned char>(bytes[i]);
      *out_ += kHex[byte >> 4];
      *out_ += kHex[byte & 15];
    }
    *out_ += ']';
  }

  void WriteTimestamp(const arrow::ArrayData& data, int64_t row) {
    const bool instant = IsInstantType(*data.type);
    AppendTimestampText(data.GetValues<int64_t>(1)[row], instant ? zone_ : *UtcTimeZone(), out_);
  }

  void WriteDayTime(const arrow::ArrayData& data, int64_t row) {
    const int64_t value = data.GetValues<int64_t>(1)[row];
    const bool is_day = IsDayInterval(*data.type);
    AppendIntervalText(is_day ? value * kMicrosPerSecond : value, is_day ? kDayOnly : kDayToSecond,
                       out_);
  }

  void WriteCalendarInterval(const arrow::ArrayData& data, int64_t row) {
    const auto& value = data.GetValues<arrow::MonthDayNanoIntervalType::MonthDayNanos>(1)[row];
    AppendCalendarIntervalText({value.months, value.days, value.nanoseconds / kNanosPerMicro},
                               out_);
  }

  void WriteList(const arrow::ArrayData& data, int64_t row) {
    const auto* offsets = data.GetValues<int32_t>(1);
    *out_ += '[';
    for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
      if (i > offsets[row]) *out_ += ", ";
      WriteNested(*data.child_data[0], i);
    }
    *out_ += ']';
  }

  void WriteMap(const arrow::ArrayData& data, int64_t row) {
    const auto* offsets = data.GetValues<int32_t>(1);
    const arrow::ArrayData& entries = *data.child_data[0];
    *out_ += '{';
    for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
      if (i > offsets[row]) *out_ += ", ";
      WriteNested(*entries.child_data[0], entries.offset + i);
      *out_ += " -> ";
      WriteNested(*entries.child_data[1], entries.offset + i);
    }
    *out_ += '}';
  }

  void WriteStruct(const arrow::ArrayData& data, int64_t row) {
    *out_ += '{';
    for (size_t i = 0; i < data.child_data.size(); ++i) {
      if (i > 0) *out_ += ", ";
      WriteNested(*data.child_data[i], data.offset + row);
    }
    *out_ += '}';
  }

  const TimeZone& zone_;
  const TextStyle style_;
  std::string* const out_;
};

}  // namespace

void AppendCastText(const arrow::ArrayData& data, int64_t row, const TimeZone& zone,
                    TextStyle style, std::string* out) {
  if (data.IsNull(row)) {
    *out += "NULL";
  } else {
    CastWriter(zone, style, out).WriteValue(data, row);
  }
}

std::string CastToText(const arrow::Array& array, int64_t row, const TimeZone& zone,
                       TextStyle style) {
  std::string text;
  AppendCastText(*array.data(), row, zone, style, &text);
  return text;
}

}  // namespace tidemill
