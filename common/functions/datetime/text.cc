#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/functions/cast/cast.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/datetime.h"
#include "common/functions/text_writer.h"
#include "common/types/civil_time.h"
#include "common/types/datetime_pattern/datetime_pattern.h"
#include "common/types/ddl.h"

// Datetimes to text and back, with patterns.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;
using Use = DatetimePattern::Use;
using PatternPtr = std::shared_ptr<const DatetimePattern>;

constexpr std::string_view kDefaultPattern = "yyyy-MM-dd HH:mm:ss";

// The patterns of a call: one that is compiled already, or those of a column, of which the last is
// remembered.
class PatternColumn {
 public:
  PatternColumn(PatternPtr constant, const arrow::Datum& datum, Use use)
      : constant_(std::move(constant)), texts_(datum), use_(use) {}

  arrow::Result<const DatetimePattern*> Find(int64_t row) {
    if (constant_ != nullptr) return constant_.get();
    const std::string_view text = texts_[row];
    if (last_ == nullptr || text != last_text_) {
      auto compiled = DatetimePattern::Compile(text, use_);
      if (!compiled.ok()) {
        return MakeError(ErrorKind::kJobFailed, ErrorClassOf(compiled.status()),
                         compiled.status().message());
      }
      last_ = *std::move(compiled);
      last_text_ = std::string(text);
    }
    return last_.get();
  }

 private:
  const PatternPtr constant_;
  const TextColumn texts_;
  const Use use_;
  std::string last_text_;
  PatternPtr last_;
};

// The pattern of argument `index`: the default where it is not given, nullptr where it is no
// literal.
arrow::Result<PatternPtr> PatternOf(std::span<const ExprPtr> args, size_t index, Use use) {
  if (index >= args.size()) return DatetimePattern::Compile(kDefaultPattern, use);
  std::string text;
  if (StringLiteralOf(*args[index], &text) == nullptr) return nullptr;
  return DatetimePattern::Compile(text, use);
}

arrow::Datum PatternArgument(Args args, size_t index) {
  return index < args.size() ? args[index] : arrow::Datum(std::string());
}

// `micros(row)` is the instant to format.
template <class Micros>
arrow::Result<arrow::Datum> FormatRows(const EvalContext& context, Args args, int64_t rows,
                                       const PatternPtr& pattern, Micros micros) {
  PatternColumn patterns(pattern, PatternArgument(args, 1), Use::kFormat);
  const TimeZone& zone = ZoneOf(context);
  std::string text;
  return ComputeText(context, args, rows, arrow::utf8(), rows * 20,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       ARROW_ASSIGN_OR_RAISE(const DatetimePattern* found, patterns.Find(row));
                       text.clear();
                       ARROW_ASSIGN_OR_RAISE(const int64_t value, micros(row));
                       found->Format(value, zone, &text);
                       ARROW_RETURN_NOT_OK(out->Append(text));
                       return true;
                     });
}

arrow::Result<Kernel> MakeDateFormat(std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(PatternPtr pattern, PatternOf(args, 1, Use::kFormat));
  return Kernel([pattern](const EvalContext& context, Args values, int64_t rows) {
    const FixedColumn<int64_t> micros(values[0]);
    return FormatRows(context, values, rows, pattern,
                      [&](int64_t row) -> arrow::Result<int64_t> { return micros[row]; });
  });
}

arrow::Result<Kernel> MakeFromUnixtime(std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(PatternPtr pattern, PatternOf(args, 1, Use::kFormat));
  return Kernel([pattern](const EvalContext& context, Args values, int64_t rows) {
    const FixedColumn<int64_t> seconds(values[0]);
    return FormatRows(context, values, rows, pattern, [&](int64_t row) -> arrow::Result<int64_t> {
      int64_t micros = 0;
      if (!__builtin_mul_overflow(seconds[row], kMicrosPerSecond, &micros)) return micros;
      return MakeError(
          ErrorKind::kJobFailed, "DATETIME_OVERFLOW",
          fmt::format("Datetime operation overflow: {} seconds since 1970.", seconds[row]));
    });
  });
}

// How a text becomes a value. *Plain data.*
struct ParseRule {
  TypePtr type;  // TIMESTAMP or TIMESTAMP_NTZ
  std::string try_name;
  bool is_try = false;
};

Kernel ParseTexts(const ParseRule& rule, const PatternPtr& pattern) {
  return [rule, pattern](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn texts(args[0]);
    PatternColumn patterns(pattern, PatternArgument(args, 1), Use::kParse);
    const TimeZone& zone = ZoneOf(context);
    const bool is_instant = IsInstantType(*rule.type);
    return ComputeFixedChecked<int64_t>(
        context, args, rows, rule.type, [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          ARROW_ASSIGN_OR_RAISE(const DatetimePattern* found, patterns.Find(row));
          const bool is_parsed =
              is_instant ? found->Parse(texts[row], zone, out) : found->ParseLocal(texts[row], out);
          if (is_parsed || rule.is_try) return is_parsed;
          return MakeError(ErrorKind::kJobFailed, "CANNOT_PARSE_TIMESTAMP",
                           fmt::format("Text '{}' could not be parsed. Use `{}` to tolerate "
                                       "invalid input string and return NULL instead.",
                                       texts[row], rule.try_name));
        });
  };
}

// One kernel after another; the second takes the result of the first alone.
Kernel Then(Kernel first, Kernel second) {
  return [first = std::move(first), second = std::move(second)](
             const EvalContext& context, Args args, int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum middle, first(context, args, rows));
    return second(context, std::span(&middle, 1), rows);
  };
}

bool IsTextOrDatetime(const arrow::DataType& type) {
  return IsStringType(type) || IsDatetimeType(type);
}

// to_date, to_timestamp and their like: a cast without a pattern and for what is no text.
FunctionInfo ToDatetime(const std::string& name, const TypePtr& type, bool is_try) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr[, pattern])", name);
  info.reads_context = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, 2));
    TypePtr from = args[0]->type;
    if (from->id() == arrow::Type::NA) from = arrow::utf8();
    const bool takes_numbers = args.size() == 1 && IsInstantType(*type);
    const bool is_taken = IsTextOrDatetime(*from) || (takes_numbers && IsNumericType(*from));
    // All else goes by its text.
    if (!is_taken && CanCastImplicitly(*from, *arrow::utf8())) {
      from = arrow::utf8();
    } else if (!is_taken) {
      return UnexpectedInput(name, args, 0, "(\"STRING\" or \"DATE\" or \"TIMESTAMP\")");
    }
    BoundFunction bound;
    bound.arg_types = {from};
    bound.type = type;
    if (args.size() == 2) {
      if (!CanCastImplicitly(*args[1]->type, *arrow::utf8())) {
        return UnexpectedInput(name, args, 1, "\"STRING\"");
      }
      bound.arg_types.push_back(arrow::utf8());
    }
    if (args.size() == 1 || !IsStringType(*from)) {
      ARROW_ASSIGN_OR_RAISE(bound.kernel, MakeCastKernel(from, type, is_try));
      bound.is_total = is_try || IsTotalCast(*from, *type);
      return bound;
    }
    ARROW_ASSIGN_OR_RAISE(const PatternPtr pattern, PatternOf(args, 1, Use::kParse));
    const bool is_date = type->id() == arrow::Type::DATE32;
    const ParseRule rule = {is_date ? TimestampType() : type,
                            is_date ? "try_to_date" : "try_to_timestamp", is_try};
    bound.kernel = ParseTexts(rule, pattern);
    if (is_date) {
      ARROW_ASSIGN_OR_RAISE(Kernel to_date, MakeCastKernel(rule.type, type, false));
      bound.kernel = Then(std::move(bound.kernel), std::move(to_date));
    }
    return bound;
  };
  return info;
}

// Cuts toward zero, unlike CAST(timestamp AS BIGINT); as in Spark.
arrow::Result<arrow::Datum> WholeSeconds(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int64_t> micros(args[0]);
  return ComputeFixed<int64_t>(context, args, rows, arrow::int64(),
                               [&](int64_t row) { return micros[row] / kMicrosPerSecond; });
}

arrow::Result<arrow::Datum> EpochSeconds(const EvalContext& context, Args, int64_t) {
  return arrow::Datum(FloorDiv(context.epoch_time_us, kMicrosPerSecond));
}

FunctionInfo UnixTimestamp(const std::string& name, size_t least) {
  FunctionInfo info;
  info.name = name;
  info.usage = name + (least == 0 ? "([expr[, pattern]])" : "(expr[, pattern])");
  info.reads_context = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), least, 2));
    if (args.empty()) return BoundFunction{{}, arrow::int64(), EpochSeconds, true};
    TypePtr from = args[0]->type;
    if (from->id() == arrow::Type::NA) from = arrow::utf8();
    if (!IsTextOrDatetime(*from)) {
      return UnexpectedInput(name, args, 0,
                             "(\"STRING\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\")");
    }
    BoundFunction bound;
    bound.arg_types = {IsStringType(*from) ? from : TimestampType()};
    if (args.size() == 2) bound.arg_types.push_back(arrow::utf8());
    bound.type = arrow::int64();
    bound.kernel = WholeSeconds;
    if (IsStringType(*from)) {
      ARROW_ASSIGN_OR_RAISE(const PatternPtr pattern, PatternOf(args, 1, Use::kParse));
      bound.kernel =
          Then(ParseTexts({TimestampType(), "try_to_timestamp", false}, pattern), WholeSeconds);
    }
    return bound;
  };
  return info;
}

}  // namespace

void AddDatetimeTextFunctions(FunctionCatalog* catalog) {
  const TypePtr& text = arrow::utf8();
  catalog->Add(FromSignature({.name = "date_format",
                              .usage = "date_format(timestamp, pattern)",
                              .params = {TimestampType(), text},
                              .result = text,
                              .make_kernel = MakeDateFormat,
                              .is_total_if_prepared = true}));
  catalog->Add(InZone(FromSignature({.name = "from_unixtime",
                                     .usage = "from_unixtime(seconds[, pattern])",
                                     .params = {arrow::int64(), text},
                                     .required = 1,
                                     .result = text,
                                     .make_kernel = MakeFromUnixtime})));
  for (const bool is_try : {false, true}) {
    const std::string prefix = is_try ? "try_" : "";
    catalog->Add(ToDatetime(prefix + "to_date", arrow::date32(), is_try));
    catalog->Add(ToDatetime(prefix + "to_timestamp", TimestampType(), is_try));
  }
  catalog->Add(ToDatetime("to_timestamp_ltz", TimestampType(), false));
  catalog->Add(ToDatetime("to_timestamp_ntz", TimestampNtzType(), false));
  catalog->Add(UnixTimestamp("unix_timestamp", 0));
  catalog->Add(UnixTimestamp("to_unix_timestamp", 1));
}

}  // namespace tidemill
