#include "common/json/inferred_type.h"

#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "common/json/json_numbers.h"

namespace tidemill {

namespace {

constexpr int kMaxDecimalDigits = 38;

}  // namespace

void InferredType::Widen(Kind kind, int digits) {
  const auto is_number = [](Kind k) {
    return k == Kind::kBigint || k == Kind::kDecimal || k == Kind::kDouble;
  };
  digits_ = std::max(digits_, digits);
  if (kind_ == Kind::kNothing || kind_ == kind) {
    kind_ = kind;
  } else if (is_number(kind_) && is_number(kind)) {
    kind_ = std::max(kind_, kind);
  } else {
    kind_ = Kind::kString;
  }
  if (kind_ == Kind::kDecimal && digits_ > kMaxDecimalDigits) kind_ = Kind::kDouble;
}

void InferredType::Add(const JsonValue& value, JsonSyntax syntax) {
  int64_t number = 0;
  switch (value.kind) {
    case JsonKind::kNull:
      return;
    case JsonKind::kTrue:
    case JsonKind::kFalse:
      return Widen(Kind::kBoolean, 0);
    case JsonKind::kInteger: {
      const int digits = static_cast<int>(value.size) - (value.data[0] == '-' ? 1 : 0);
      const bool fits = JsonInteger(value.text(), &number);
      // A BIGINT among decimals has up to 19 digits, and Spark counts 20.
      return Widen(fits ? Kind::kBigint : Kind::kDecimal, fits ? 20 : digits);
    }
    case JsonKind::kReal:
      return Widen(Kind::kDouble, 0);
    case JsonKind::kString:
    case JsonKind::kEscapedString:
      if (value.size > 0) Widen(Kind::kString, 0);
      return;
    case JsonKind::kObject: {
      Widen(Kind::kStruct, 0);
      JsonScanner scanner(value.text(), syntax);
      (void)scanner.ScanObject([&](const JsonValue& key, const JsonValue& child) {
        std::string name;
        UnescapeJson(key.text(), &name);
        fields_[name].Add(child, syntax);
      });
      return;
    }
    case JsonKind::kArray: {
      Widen(Kind::kArray, 0);
      if (element_ == nullptr) element_ = std::make_unique<InferredType>();
      JsonScanner scanner(value.text(), syntax);
      (void)scanner.ScanArray([&](const JsonValue& child) { element_->Add(child, syntax); });
      return;
    }
  }
}

std::shared_ptr<arrow::DataType> InferredType::Finish() const {
  switch (kind_) {
    case Kind::kBoolean:
      return arrow::boolean();
    case Kind::kBigint:
      return arrow::int64();
    case Kind::kDecimal:
      return arrow::decimal128(digits_, 0);
    case Kind::kDouble:
      return arrow::float64();
    case Kind::kStruct: {
      const arrow::FieldVector fields = FinishFields();
      return fields.empty() ? nullptr : arrow::struct_(fields);
    }
    case Kind::kArray: {
      auto element = element_->Finish();
      return element == nullptr ? nullptr : arrow::list(element);
    }
    default:
      return arrow::utf8();
  }
}

arrow::FieldVector InferredType::FinishFields() const {
  arrow::FieldVector fields;
  for (const auto& [name, field] : fields_) {
    if (auto type = field.Finish()) fields.push_back(arrow::field(name, std::move(type)));
  }
  return fields;
}

}  // namespace tidemill
