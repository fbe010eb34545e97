#include "common/types/ddl.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/types/ddl_lexer.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

using Kind = DdlToken::Kind;
using TypePtr = std::shared_ptr<arrow::DataType>;

constexpr int kMaxDepth = 100;
constexpr int32_t kMaxPrecision = 38;

struct SimpleType {
  std::string_view name;
  TypePtr (*make)();
};

TypePtr Boolean() { return arrow::boolean(); }
TypePtr Int8() { return arrow::int8(); }
TypePtr Int16() { return arrow::int16(); }
TypePtr Int32() { return arrow::int32(); }
TypePtr Int64() { return arrow::int64(); }
TypePtr Float32() { return arrow::float32(); }
TypePtr Float64() { return arrow::float64(); }
TypePtr Utf8() { return arrow::utf8(); }
TypePtr Binary() { return arrow::binary(); }
TypePtr Date32() { return arrow::date32(); }
TypePtr Void() { return arrow::null(); }

constexpr auto kSimpleTypes = std::to_array<SimpleType>({
    {"BIGINT", Int64},
    {"BINARY", Binary},
    {"BOOLEAN", Boolean},
    {"BYTE", Int8},
    {"DATE", Date32},
    {"DOUBLE", Float64},
    {"FLOAT", Float32},
    {"INT", Int32},
    {"INTEGER", Int32},
    {"LONG", Int64},
    {"REAL", Float32},
    {"SHORT", Int16},
    {"SMALLINT", Int16},
    {"STRING", Utf8},
    {"TIMESTAMP", TimestampType},
    {"TIMESTAMP_LTZ", TimestampType},
    {"TIMESTAMP_NTZ", TimestampNtzType},
    {"TINYINT", Int8},
    {"VOID", Void},
});

// What people write who come from other systems.
constexpr auto kForeignNames = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"BLOB", "BINARY"},        {"BOOL", "BOOLEAN"},
    {"BYTEA", "BINARY"},       {"BYTES", "BINARY"},
    {"DATETIME", "TIMESTAMP"}, {"FLOAT32", "FLOAT"},
    {"FLOAT64", "DOUBLE"},     {"INT16", "SMALLINT"},
    {"INT32", "INT"},          {"INT64", "BIGINT"},
    {"INT8", "TINYINT"},       {"JSON", "STRING"},
    {"LIST", "ARRAY"},         {"NULL", "VOID"},
    {"NUMBER", "DECIMAL"},     {"NVARCHAR", "STRING"},
    {"OBJECT", "STRUCT"},      {"RECORD", "STRUCT"},
    {"ROW", "STRUCT"},         {"STR", "STRING"},
    {"TEXT", "STRING"},        {"TIMESTAMPTZ", "TIMESTAMP"},
    {"UTF8", "STRING"},        {"UUID", "STRING"},
    {"VARBINARY", "BINARY"},
});

constexpr std::array<std::string_view, 8> kOtherNames = {"DECIMAL", "DEC",   "NUMERIC", "CHAR",
                                                         "VARCHAR", "ARRAY", "MAP",     "STRUCT"};

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return upper;
}

std::string TypeNameHint(const std::string& name) {
  for (const auto& [foreign, ours] : kForeignNames) {
    if (name == foreign) return fmt::format("write {}", ours);
  }
  std::vector<std::string_view> names(kOtherNames.begin(), kOtherNames.end());
  for (const SimpleType& type : kSimpleTypes) names.push_back(type.name);
  const std::string nearest = NearestName(name, names);
  return nearest.empty() ? "" : fmt::format("did you mean {}?", nearest);
}

arrow::Status SyntaxError(const DdlToken& token, std::string hint) {
  const std::string near =
      token.kind == Kind::kEnd ? "end of input" : fmt::format("'{}'", token.text);
  return MakeError(ErrorKind::kInvalid, "PARSE_SYNTAX_ERROR",
                   fmt::format("Syntax error at or near {}.", near), token.span, std::move(hint));
}

arrow::Status UnsupportedType(const std::string& name, Span span, std::string hint) {
  return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATATYPE",
                   fmt::format("Unsupported data type \"{}\".", name), span, std::move(hint));
}

arrow::Status IncompleteType(const std::string& name, Span span) {
  std::string_view needs = "an element type. For example: \"ARRAY<elementType>\"";
  if (name == "MAP") needs = "a key type and a value type. For example: \"MAP<TIMESTAMP, INT>\"";
  if (name == "STRUCT") {
    needs = "at least one field type. For example: \"STRUCT<name STRING, phone DECIMAL(10, 2)>\"";
  }
  return MakeError(ErrorKind::kInvalid, "INCOMPLETE_TYPE_DEFINITION." + name,
                   fmt::format("Incomplete complex type: The definition of \"{}\" type is "
                               "incomplete. You must provide {}.",
                               name, needs),
                   span);
}

bool IsAscii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

// Recursive descent over one text. One per parse.
class DdlParser {
 public:
  explicit DdlParser(std::string_view text) : text_(text), lexer_(text) {
    token_ = lexer_.Next();
    next_ = lexer_.Next();
  }

  arrow::Result<TypePtr> ParseWholeType() {
    ARROW_ASSIGN_OR_RAISE(TypePtr type, ParseType(1));
    if (token_.kind != Kind::kEnd) return SyntaxError(token_, "the type ends before this");
    return type;
  }

  arrow::Result<arrow::FieldVector> ParseWholeSchema() {
    if (IsWord("STRUCT") && next_.Is('<')) {
      ARROW_ASSIGN_OR_RAISE(TypePtr type, ParseWholeType());
      return type->fields();
    }
    arrow::FieldVector fields;
    if (token_.kind == Kind::kEnd) return fields;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), ParseField(1));
      if (token_.kind == Kind::kEnd) return fields;
      if (!token_.Is(',')) return SyntaxError(token_, "columns are separated by commas");
      Advance();
    }
  }

 private:
  void Advance() {
    token_ = next_;
    next_ = lexer_.Next();
  }

  bool IsWord(std::string_view upper) const {
    return token_.kind == Kind::kName && UpperCase(token_.text) == upper;
  }

  arrow::Status Expect(char symbol) {
    if (!token_.Is(symbol)) return SyntaxError(token_, fmt::format("missing '{}'", symbol));
    Advance();
    return arrow::Status::OK();
  }

  arrow::Result<int32_t> ParseNumber() {
    if (token_.kind != Kind::kNumber) return SyntaxError(token_, "a number is needed here");
    int64_t value = 0;
    for (char c : token_.text) value = std::min<int64_t>(value * 10 + (c - '0'), INT32_MAX);
    Advance();
    return static_cast<int32_t>(value);
  }

  arrow::Result<std::shared_ptr<arrow::Field>> ParseField(int depth) {
    ARROW_ASSIGN_OR_RAISE(std::string name, ParseFieldName());
    if (token_.Is(':')) Advance();
    ARROW_ASSIGN_OR_RAISE(TypePtr type, ParseType(depth));
    if (IsWord("NOT")) {
      Advance();
      if (!IsWord("NULL")) return SyntaxError(token_, "NOT must be followed by NULL");
      Advance();
    } else if (IsWord("NULL")) {
      return SyntaxError(token_, "columns are nullable anyway; leave NULL out");
    }
    if (IsWord("DEFAULT") || IsWord("GENERATED")) {
      return SyntaxError(token_, "column defaults and generated columns are not supported");
    }
    if (IsWord("COMMENT")) {
      Advance();
      if (token_.kind != Kind::kString) return SyntaxError(token_, "a comment is a string");
      Advance();
    }
    return arrow::field(std::move(name), std::move(type));
  }

  arrow::Result<std::string> ParseFieldName() {
    if (token_.kind != Kind::kName && token_.kind != Kind::kQuoted) {
      return SyntaxError(token_, token_.kind == Kind::kNumber || token_.kind == Kind::kString
                                     ? "put such a name between backquotes"
                                     : "a column name is needed here");
    }
    std::string name = NameOf(token_);
    // "first-name STRING": the lexer sees the dash as a token that touches the name.
    const bool dashed =
        next_.kind == Kind::kInvalid && next_.text == "-" && next_.span.begin == token_.span.end;
    if (token_.kind == Kind::kName && (dashed || !IsAscii(name))) return InvalidName();
    Advance();
    return name;
  }

  arrow::Status InvalidName() const {
    int32_t end = token_.span.begin;
    const auto size = static_cast<int32_t>(text_.size());
    while (end < size &&
           std::string_view(" \t\r\n:,<>()").find(text_[end]) == std::string_view::npos)
      ++end;
    const std::string_view name = text_.substr(token_.span.begin, end - token_.span.begin);
    return MakeError(
        ErrorKind::kInvalid, "INVALID_IDENTIFIER",
        fmt::format("The unquoted identifier {} is invalid and must be back quoted as: `{}`. "
                    "Unquoted identifiers can only contain ASCII letters ('a' - 'z', 'A' - 'Z'), "
                    "digits ('0' - '9'), and underbar ('_').",
                    name, name),
        Span{token_.span.begin, end});
  }

  arrow::Result<TypePtr> ParseType(int depth) {
    const DdlToken start = token_;
    if (start.kind != Kind::kName) return SyntaxError(start, "a data type is needed here");
    if (depth > kMaxDepth) {
      return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATATYPE",
                       fmt::format("data type is nested too deeply: limit={}", kMaxDepth),
                       start.span);
    }
    const std::string name = UpperCase(start.text);
    Advance();
    for (const SimpleType& simple : kSimpleTypes) {
      if (name != simple.name) continue;
      if (name == "STRING") ARROW_RETURN_NOT_OK(ParseCollation());
      return simple.make();
    }
    if (name == "DECIMAL" || name == "DEC" || name == "NUMERIC") return ParseDecimal(start.span);
    if (name == "INTERVAL") return ParseInterval(start.span);
    if (name == "CHAR" || name == "CHARACTER" || name == "VARCHAR") {
      return ParseSizedString(name, start.span);
    }
    if (name == "ARRAY" || name == "MAP" || name == "STRUCT") {
      if (!token_.Is('<')) return IncompleteType(name, start.span);
      Advance();
      if (name == "ARRAY") return ParseArray(depth);
      return name == "MAP" ? ParseMap(depth) : ParseStruct(depth);
    }
    return UnsupportedType(name, start.span, TypeNameHint(name));
  }

  arrow::Result<TypePtr> ParseDecimal(Span span) {
    int32_t precision = 10;
    int32_t scale = 0;
    if (token_.Is('(')) {
      Advance();
      ARROW_ASSIGN_OR_RAISE(precision, ParseNumber());
      if (token_.Is(',')) {
        Advance();
        ARROW_ASSIGN_OR_RAISE(scale, ParseNumber());
      }
      span.end = token_.span.end;
      ARROW_RETURN_NOT_OK(Expect(')'));
    }
    if (precision > kMaxPrecision) {
      return MakeError(
          ErrorKind::kInvalid, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
          fmt::format("Decimal precision {} exceeds max precision {}.", precision, kMaxPrecision),
          span);
    }
    if (scale > precision) {
      return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATATYPE",
                       fmt::format("Decimal scale ({}) cannot be greater than precision ({}).",
                                   scale, precision),
                       span);
    }
    const std::string text = fmt::format("DECIMAL({},{})", precision, scale);
    if (precision == 0) return UnsupportedType(text, span, "the precision is 1 to 38");
    return arrow::decimal128(precision, scale);
  }

  bool IsIntervalField() const {
    constexpr std::array<std::string_view, 6> kFields = {"YEAR", "MONTH",  "DAY",
                                                         "HOUR", "MINUTE", "SECOND"};
    return std::any_of(kFields.begin(), kFields.end(),
                       [this](std::string_view field) { return IsWord(field); });
  }

  arrow::Result<TypePtr> ParseInterval(Span span) {
    std::string name = "INTERVAL";
    auto take_field = [&] {
      name += " " + UpperCase(token_.text);
      span.end = token_.span.end;
      Advance();
    };
    if (!IsIntervalField()) return CalendarIntervalType();
    take_field();
    if (IsWord("TO")) {
      take_field();
      if (!IsIntervalField()) return SyntaxError(token_, "TO is followed by MONTH or SECOND");
      take_field();
    }
    for (const TypePtr& type :
         {YearMonthIntervalType(), DayTimeIntervalType(), DayIntervalType()}) {
      if (name == SqlTypeName(*type)) return type;
    }
    return UnsupportedType(name, span,
                           "write INTERVAL YEAR TO MONTH, INTERVAL DAY TO SECOND or INTERVAL DAY");
  }

  arrow::Result<TypePtr> ParseSizedString(const std::string& name, Span span) {
    if (!token_.Is('(')) {
      return MakeError(ErrorKind::kInvalid, "DATATYPE_MISSING_SIZE",
                       fmt::format("DataType \"{}\" requires a length parameter, for example "
                                   "\"{}\"(10). Please specify the length.",
                                   name, name),
                       span, "or write STRING");
    }
    Advance();
    ARROW_RETURN_NOT_OK(ParseNumber());
    ARROW_RETURN_NOT_OK(Expect(')'));
    return arrow::utf8();
  }

  arrow::Status ParseCollation() {
    if (!IsWord("COLLATE")) return arrow::Status::OK();
    Advance();
    if (!IsWord("UTF8_BINARY")) {
      return UnsupportedType("STRING COLLATE " + std::string(token_.text), token_.span,
                             "only UTF8_BINARY is supported");
    }
    Advance();
    return arrow::Status::OK();
  }

  arrow::Result<TypePtr> ParseArray(int depth) {
    ARROW_ASSIGN_OR_RAISE(TypePtr item, ParseType(depth + 1));
    ARROW_RETURN_NOT_OK(Expect('>'));
    return arrow::list(std::move(item));
  }

  arrow::Result<TypePtr> ParseMap(int depth) {
    ARROW_ASSIGN_OR_RAISE(TypePtr key, ParseType(depth + 1));
    ARROW_RETURN_NOT_OK(Expect(','));
    ARROW_ASSIGN_OR_RAISE(TypePtr value, ParseType(depth + 1));
    ARROW_RETURN_NOT_OK(Expect('>'));
    return arrow::map(std::move(key), std::move(value));
  }

  arrow::Result<TypePtr> ParseStruct(int depth) {
    arrow::FieldVector fields;
    if (token_.Is('>')) {
      Advance();
      return arrow::struct_(fields);
    }
    while (true) {
      ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), ParseField(depth + 1));
      if (!token_.Is(',')) break;
      Advance();
    }
    ARROW_RETURN_NOT_OK(Expect('>'));
    return arrow::struct_(fields);
  }

  std::string_view text_;
  DdlLexer lexer_;
  DdlToken token_;
  DdlToken next_;
};

void AppendTypeName(const arrow::DataType& type, std::string* out);

void AppendFields(const arrow::FieldVector& fields, std::string_view between, std::string* out) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) *out += ", ";
    *out += QuoteIfNeeded(fields[i]->name());
    *out += between;
    AppendTypeName(*fields[i]->type(), out);
  }
}

std::string_view SimpleTypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return "VOID";
    case arrow::Type::BOOL:
      return "BOOLEAN";
    case arrow::Type::INT8:
      return "TINYINT";
    case arrow::Type::INT16:
      return "SMALLINT";
    case arrow::Type::INT32:
      return "INT";
    case arrow::Type::INT64:
      return "BIGINT";
    case arrow::Type::FLOAT:
      return "FLOAT";
    case arrow::Type::DOUBLE:
      return "DOUBLE";
    case arrow::Type::STRING:
      return "STRING";
    case arrow::Type::BINARY:
      return "BINARY";
    case arrow::Type::DATE32:
      return "DATE";
    case arrow::Type::TIMESTAMP:
      return IsInstantType(type) ? "TIMESTAMP" : "TIMESTAMP_NTZ";
    case arrow::Type::INTERVAL_MONTHS:
      return "INTERVAL YEAR TO MONTH";
    case arrow::Type::DURATION:
      return IsDayInterval(type) ? "INTERVAL DAY" : "INTERVAL DAY TO SECOND";
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return "INTERVAL";
    default:
      return "";
  }
}

void AppendTypeName(const arrow::DataType& type, std::string* out) {
  switch (type.id()) {
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      fmt::format_to(std::back_inserter(*out), "DECIMAL({},{})", decimal.precision(),
                     decimal.scale());
      return;
    }
    case arrow::Type::LIST:
      *out += "ARRAY<";
      AppendTypeName(*static_cast<const arrow::ListType&>(type).value_type(), out);
      *out += '>';
      return;
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      *out += "MAP<";
      AppendTypeName(*map.key_type(), out);
      *out += ", ";
      AppendTypeName(*map.item_type(), out);
      *out += '>';
      return;
    }
    case arrow::Type::STRUCT:
      *out += "STRUCT<";
      AppendFields(type.fields(), ": ", out);
      *out += '>';
      return;
    default: {
      const std::string_view name = SimpleTypeName(type);
      *out += name.empty() ? type.ToString() : std::string(name);
    }
  }
}

}  // namespace

arrow::Result<TypePtr> ParseDdlType(std::string_view text) {
  return DdlParser(text).ParseWholeType();
}

arrow::Result<std::shared_ptr<arrow::Schema>> ParseDdlSchema(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(arrow::FieldVector fields, DdlParser(text).ParseWholeSchema());
  return arrow::schema(std::move(fields));
}

std::string SqlTypeName(const arrow::DataType& type) {
  std::string name;
  AppendTypeName(type, &name);
  return name;
}

std::string DdlOf(const arrow::Schema& schema) {
  std::string ddl;
  AppendFields(schema.fields(), " ", &ddl);
  return ddl;
}

std::string QuoteIfNeeded(std::string_view name) {
  const bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '_';
                     });
  if (plain) return std::string(name);
  std::string quoted = "`";
  for (char c : name) {
    quoted += c;
    if (c == '`') quoted += '`';
  }
  quoted += '`';
  return quoted;
}

TypePtr TimestampType() {
  static const TypePtr type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  return type;
}

TypePtr TimestampNtzType() {
  static const TypePtr type = arrow::timestamp(arrow::TimeUnit::MICRO);
  return type;
}

bool IsInstantType(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

}  // namespace tidemill
