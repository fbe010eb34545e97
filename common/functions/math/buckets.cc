#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "common/functions/ansi_errors.h"
#include "common/functions/columns.h"
#include "common/functions/math/math_parts.h"
#include "common/functions/signature.h"
#include "common/functions/text_writer.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// width_bucket(value, min, max, count): 0 below, count + 1 above; min may be the greater one.
template <class T>
arrow::Result<arrow::Datum> WidthBucket(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<T> values(args[0]), begins(args[1]), ends(args[2]);
  const FixedColumn<int64_t> counts(args[3]);
  return ComputeFixedChecked<int64_t>(
      context, args, rows, arrow::int64(), [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
        const auto value = static_cast<double>(values[row]);
        const auto begin = static_cast<double>(begins[row]);
        const auto end = static_cast<double>(ends[row]);
        const int64_t count = counts[row];
        if (count <= 0 || count == std::numeric_limits<int64_t>::max() || std::isnan(value) ||
            !std::isfinite(begin) || !std::isfinite(end) || begin == end) {
          return false;
        }
        const bool is_up = begin < end;
        if (is_up ? value < begin : value > begin) {
          *out = 0;
        } else if (is_up ? value >= end : value <= end) {
          *out = count + 1;
        } else {
          const double width = static_cast<double>(count) * (value - begin) / (end - begin);
          *out = static_cast<int64_t>(width) + 1;
        }
        return true;
      });
}

// Of numbers, or of intervals of one kind.
FunctionInfo WidthBucketInfo() {
  const TypePtr& number = arrow::float64();
  FunctionInfo info =
      FromSignature({.name = "width_bucket",
                     .usage = "width_bucket(value, min_value, max_value, num_bucket)",
                     .params = {number, number, number, arrow::int64()},
                     .result = arrow::int64(),
                     .kernel = WidthBucket<double>,
                     .is_total = true});
  info.bind = [bind = info.bind](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const bool has_spans =
        args.size() == 4 && std::any_of(args.begin(), args.begin() + 3, [](const ExprPtr& arg) {
          return IsAnsiIntervalType(*arg->type);
        });
    if (!has_spans) return bind(args);
    TypePtr span = args[0]->type;
    for (const ExprPtr& arg : args.subspan(1, 2)) {
      span = CommonType(span, arg->type);
      if (span == nullptr) return DataDiffTypes("width_bucket", args.subspan(0, 3));
    }
    if (!CanCastImplicitly(*args[3]->type, *arrow::int64())) {
      return UnexpectedInput("width_bucket", args, 3, "\"BIGINT\"");
    }
    return BoundFunction{
        {span, span, span, arrow::int64()},
        arrow::int64(),
        IsYearMonthInterval(*span) ? Kernel(WidthBucket<int32_t>) : Kernel(WidthBucket<int64_t>)};
  };
  return info;
}

// The value of a digit in bases up to 36, or -1.
int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : -1;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// conv(num, from_base, to_base): an unsigned number of 64 bits, signed for a negative to_base. What
// follows the digits is left out. Appends nothing and returns false where the result is NULL.
arrow::Result<bool> AppendConverted(std::string_view text, int32_t from, int32_t to,
                                    TextWriter* out) {
  text = Trimmed(text);
  const int64_t base = std::abs(int64_t{to});
  if (from < 2 || from > 36 || base < 2 || base > 36 || text.empty()) return false;
  bool is_negative = text.front() == '-';
  if (is_negative) text.remove_prefix(1);
  uint64_t value = 0;
  for (const char c : text) {
    const int digit = DigitValue(c);
    if (digit < 0 || digit >= from) break;
    if (__builtin_mul_overflow(value, static_cast<uint64_t>(from), &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(digit), &value)) {
      return ArithmeticOverflow("Overflow in function conv()", "");
    }
  }
  if (is_negative && to > 0) {
    const bool is_large = static_cast<int64_t>(value) < 0;
    value = is_large ? std::numeric_limits<uint64_t>::max() : ~value + 1;
  }
  if (to < 0 && static_cast<int64_t>(value) < 0) {
    value = ~value + 1;
    is_negative = true;
  }
  std::array<char, 65> digits;
  size_t begin = digits.size();
  do {
    const auto digit = static_cast<int>(value % static_cast<uint64_t>(base));
    digits[--begin] = static_cast<char>(digit < 10 ? '0' + digit : 'A' + digit - 10);
    value /= static_cast<uint64_t>(base);
  } while (value != 0);
  if (is_negative && to < 0) digits[--begin] = '-';
  ARROW_RETURN_NOT_OK(out->Append({digits.data() + begin, digits.size() - begin}));
  return true;
}

arrow::Result<arrow::Datum> Conv(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn number(args[0]);
  const FixedColumn<int32_t> from(args[1]), to(args[2]);
  return ComputeText(context, args, rows, arrow::utf8(), rows * 8,
                     [&](int64_t row, TextWriter* out) {
                       return AppendConverted(number[row], from[row], to[row], out);
                     });
}

// NULL outside of 0 to 20.
arrow::Result<arrow::Datum> Factorial(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int32_t> number(args[0]);
  return ComputeFixedChecked<int64_t>(context, args, rows, arrow::int64(),
                                      [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
                                        if (number[row] < 0 || number[row] > 20) return false;
                                        *out = 1;
                                        for (int32_t factor = 2; factor <= number[row]; ++factor)
                                          *out *= factor;
                                        return true;
                                      });
}

}  // namespace

void AddBucketFunctions(FunctionCatalog* catalog) {
  catalog->Add(WidthBucketInfo());
  catalog->Add(FromSignature({.name = "conv",
                              .usage = "conv(num, from_base, to_base)",
                              .params = {arrow::utf8(), arrow::int32(), arrow::int32()},
                              .result = arrow::utf8(),
                              .kernel = Conv}));
  catalog->Add(FromSignature({.name = "factorial",
                              .usage = "factorial(expr)",
                              .params = {arrow::int32()},
                              .result = arrow::int64(),
                              .kernel = Factorial,
                              .is_total = true}));
}

}  // namespace tidemill
