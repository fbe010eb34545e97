#include "common/expr/type_coercion.h"

#include <arrow/type.h>

#include <algorithm>
#include <optional>
#include <string>

#include "common/expr/function_registry.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

using arrow::Type;

constexpr int kMaxPrecision = 38;
constexpr int kMinAdjustedScale = 6;

const arrow::DecimalType& AsDecimal(const arrow::DataType& type) {
  return static_cast<const arrow::DecimalType&>(type);
}

// Position among the numeric types that Spark widens along; 0 for others.
int NumericRank(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::INT8:
      return 1;
    case Type::INT16:
      return 2;
    case Type::INT32:
      return 3;
    case Type::INT64:
      return 4;
    case Type::FLOAT:
      return 5;
    case Type::DOUBLE:
      return 6;
    default:
      return 0;
  }
}

bool IsTimestamp(const arrow::DataType& type) { return type.id() == Type::TIMESTAMP; }

bool HasZone(const arrow::DataType& type) {
  return IsTimestamp(type) && !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

bool IsAtomic(const arrow::DataType& type) {
  return IsNumericType(type) || IsStringType(type) || IsDatetimeType(type) ||
         IsIntervalType(type) || type.id() == Type::BOOL || type.id() == Type::BINARY;
}

TypePtr CommonNumericType(const TypePtr& a, const TypePtr& b) {
  if (IsDecimalType(*a) || IsDecimalType(*b)) {
    if (IsFloatingType(*a) || IsFloatingType(*b)) return arrow::float64();
    return WiderDecimal(*DecimalOf(a), *DecimalOf(b));
  }
  const TypePtr& wider = NumericRank(*a) >= NumericRank(*b) ? a : b;
  // An integer beside a FLOAT makes a DOUBLE, so that its digits are not lost.
  return wider->id() == Type::FLOAT ? arrow::float64() : wider;
}

TypePtr CommonDatetimeType(const TypePtr& a, const TypePtr& b) {
  if (HasZone(*a) || HasZone(*b)) return TimestampType();
  return TimestampNtzType();
}

TypePtr CommonStringType(const TypePtr& other) {
  if (IsIntegralType(*other)) return arrow::int64();
  if (IsNumericType(*other)) return arrow::float64();
  return IsAtomic(*other) ? other : nullptr;
}

TypePtr CommonStructType(const TypePtr& a, const TypePtr& b) {
  if (a->num_fields() != b->num_fields()) return nullptr;
  arrow::FieldVector fields;
  for (int i = 0; i < a->num_fields(); ++i) {
    std::string left = a->field(i)->name(), right = b->field(i)->name();
    auto lower = [](std::string text) {
      std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
      });
      return text;
    };
    if (lower(left) != lower(right)) return nullptr;
    TypePtr type = CommonType(a->field(i)->type(), b->field(i)->type());
    if (type == nullptr) return nullptr;
    fields.push_back(arrow::field(left, type));
  }
  return arrow::struct_(fields);
}

TypePtr CommonNestedType(const TypePtr& a, const TypePtr& b) {
  if (a->id() != b->id()) return nullptr;
  if (a->id() == Type::LIST) {
    TypePtr item = CommonType(a->field(0)->type(), b->field(0)->type());
    return item == nullptr ? nullptr : arrow::list(item);
  }
  if (a->id() == Type::MAP) {
    const auto& left = static_cast<const arrow::MapType&>(*a);
    const auto& right = static_cast<const arrow::MapType&>(*b);
    TypePtr key = CommonType(left.key_type(), right.key_type());
    TypePtr item = CommonType(left.item_type(), right.item_type());
    return key == nullptr || item == nullptr ? nullptr : arrow::map(key, item);
  }
  return a->id() == Type::STRUCT ? CommonStructType(a, b) : nullptr;
}

// The answer for one step down into nested types, or nothing where they are not of one shape.
template <class Rule>
std::optional<bool> ForFields(const arrow::DataType& from, const arrow::DataType& to, Rule rule) {
  if (from.id() != to.id() || from.num_fields() == 0) return std::nullopt;
  if (from.id() == Type::MAP) {
    const auto& a = static_cast<const arrow::MapType&>(from);
    const auto& b = static_cast<const arrow::MapType&>(to);
    return rule(*a.key_type(), *b.key_type()) && rule(*a.item_type(), *b.item_type());
  }
  if (from.num_fields() != to.num_fields()) return false;
  for (int i = 0; i < from.num_fields(); ++i) {
    if (!rule(*from.field(i)->type(), *to.field(i)->type())) return false;
  }
  return true;
}

// Whether every value of integral or decimal `from` is one of decimal `to`.
bool DecimalHolds(const arrow::DataType& from, const arrow::DataType& to) {
  int precision = 0, scale = 0;
  if (IsDecimalType(from)) {
    precision = AsDecimal(from).precision();
    scale = AsDecimal(from).scale();
  } else {
    constexpr int kDigits[] = {0, 3, 5, 10, 19};
    precision = kDigits[NumericRank(from)];
  }
  const auto& target = AsDecimal(to);
  return target.scale() >= scale && target.precision() - target.scale() >= precision - scale;
}

}  // namespace

bool IsIntegralType(const arrow::DataType& type) {
  const int rank = NumericRank(type);
  return rank >= 1 && rank <= 4;
}
bool IsFloatingType(const arrow::DataType& type) { return NumericRank(type) >= 5; }
bool IsDecimalType(const arrow::DataType& type) { return type.id() == Type::DECIMAL128; }
bool IsNumericType(const arrow::DataType& type) {
  return NumericRank(type) > 0 || IsDecimalType(type);
}
bool IsStringType(const arrow::DataType& type) { return type.id() == Type::STRING; }
bool IsDatetimeType(const arrow::DataType& type) {
  return type.id() == Type::DATE32 || type.id() == Type::TIMESTAMP;
}

bool IsAnsiIntervalType(const arrow::DataType& type) {
  return IsYearMonthInterval(type) || IsDayTimeInterval(type);
}

TypePtr AdjustedDecimal(int precision, int scale) {
  if (precision > kMaxPrecision) {
    const int whole = precision - scale;
    scale = std::max(kMaxPrecision - whole, std::min(scale, kMinAdjustedScale));
    precision = kMaxPrecision;
  }
  return arrow::decimal128(precision, scale);
}

TypePtr DecimalOf(const TypePtr& type) {
  constexpr int kDigits[] = {0, 3, 5, 10, 20};
  if (!IsIntegralType(*type)) return type;
  return arrow::decimal128(kDigits[NumericRank(*type)], 0);
}

TypePtr WiderDecimal(const arrow::DataType& a, const arrow::DataType& b) {
  const auto& left = AsDecimal(a);
  const auto& right = AsDecimal(b);
  const int scale = std::max(left.scale(), right.scale());
  const int whole = std::max(left.precision() - left.scale(), right.precision() - right.scale());
  return arrow::decimal128(std::min(whole + scale, kMaxPrecision), std::min(scale, kMaxPrecision));
}

TypePtr CommonType(const TypePtr& a, const TypePtr& b) {
  if (a->Equals(*b)) return a;
  if (a->id() == Type::NA) return b;
  if (b->id() == Type::NA) return a;
  if (IsNumericType(*a) && IsNumericType(*b)) return CommonNumericType(a, b);
  if (IsDatetimeType(*a) && IsDatetimeType(*b)) return CommonDatetimeType(a, b);
  if (IsDayTimeInterval(*a) && IsDayTimeInterval(*b)) return DayTimeIntervalType();
  if (IsStringType(*a)) return CommonStringType(b);
  if (IsStringType(*b)) return CommonStringType(a);
  return CommonNestedType(a, b);
}

bool CanCast(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to) || from.id() == Type::NA) return true;
  if (to.id() == Type::NA) return false;
  if (IsStringType(to)) return true;
  if (IsStringType(from)) return IsAtomic(to);
  if (auto nested = ForFields(from, to, CanCast)) return *nested;
  const bool from_number = IsNumericType(from) || from.id() == Type::BOOL;
  const bool to_number = IsNumericType(to) || to.id() == Type::BOOL;
  if (from_number && to_number) return true;
  if (IsDatetimeType(from) && IsDatetimeType(to)) return true;
  if (IsDayTimeInterval(from) && IsDayTimeInterval(to)) return true;
  if (IsAnsiIntervalType(from)) return IsIntegralType(to) || IsDecimalType(to);
  if (IsAnsiIntervalType(to)) return IsIntegralType(from) || IsDecimalType(from);
  if (HasZone(from)) return IsNumericType(to);
  if (HasZone(to)) return IsNumericType(from);
  return false;
}

bool CanCastImplicitly(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to) || from.id() == Type::NA) return true;
  if (IsStringType(from) || IsStringType(to)) {
    return IsAtomic(from) && IsAtomic(to);
  }
  // Any number to any, as when it is stored: what does not fit fails at run time.
  if (IsNumericType(from) && IsNumericType(to)) return true;
  if (IsDatetimeType(from) && IsDatetimeType(to)) return true;
  if (IsDayInterval(from) && IsDayTimeInterval(to)) return true;
  if (auto nested = ForFields(from, to, CanCastImplicitly)) return *nested;
  return false;
}

bool IsTotalCast(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to) || from.id() == Type::NA) return true;
  if (IsStringType(to)) return true;
  if (from.id() == Type::BOOL && NumericRank(to) > 0) return true;
  if (IsNumericType(from)) {
    if (to.id() == Type::BOOL || IsFloatingType(to)) return true;
    if (IsIntegralType(from) && IsIntegralType(to)) return NumericRank(from) < NumericRank(to);
    return IsDecimalType(to) && !IsFloatingType(from) && DecimalHolds(from, to);
  }
  if (from.id() == Type::TIMESTAMP && IsDatetimeType(to)) return true;
  if (auto nested = ForFields(from, to, IsTotalCast)) return *nested;
  return false;
}

}  // namespace tidemill
