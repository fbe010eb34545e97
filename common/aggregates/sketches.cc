// Summaries of bounded size: number of different values, frequencies, histograms.
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

// Registers are addressed by 4 bits of a hash at least: 39 % error at most.
constexpr double kLargestError = 0.39;
// The bits that address registers; Spark's number of them for a relative standard deviation.
constexpr int kMostAddressBits = 20;

arrow::Result<BoundAggregate> BindDistinctEstimate(const AggregateRequest& request) {
  ARROW_RETURN_NOT_OK(CheckArgCount("approx_count_distinct",
                                    "approx_count_distinct(expr[, relativeSD])",
                                    request.args.size(), 1, 2));
  const TypePtr& type = request.args[0]->type;
  BoundAggregate signature =
      MakeSignature("approx_count_distinct", {type}, arrow::int64(), {arrow::binary()});
  signature.constants.error = 0.05;
  if (request.args.size() == 1) return signature;
  const Expr& given = *request.args[1];
  const bool is_number = IsLiteral(given) && given.literal->is_valid &&
                         (IsDecimalType(*given.type) || IsFloatingType(*given.type));
  if (!is_number) {
    return MakeError(ErrorKind::kInvalid, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                     "The second argument should be a double literal.");
  }
  ARROW_ASSIGN_OR_RAISE(auto error, ConstantOf(request.args[1], arrow::float64()));
  signature.arg_types.push_back(given.type);
  signature.text = TextOf(request, "", /*shown=*/1);
  signature.constants.error = static_cast<const arrow::DoubleScalar&>(*error).value;
  const double bits = std::ceil(2 * std::log(1.106 / signature.constants.error) / std::log(2.0));
  if (!(signature.constants.error > 0 && signature.constants.error <= kLargestError) ||
      bits > kMostAddressBits) {
    return WithHint(MakeError(ErrorKind::kInvalid, "FAILED_FUNCTION_CALL",
                              "Failed preparing of the function `approx_count_distinct` for call. "
                              "Please, double check function's arguments."),
                    "the relative standard deviation must be between 0.0011 and 0.39");
  }
  return signature;
}

arrow::Result<BoundAggregate> BindHistogram(const AggregateRequest& request) {
  ARROW_RETURN_NOT_OK(
      CheckArgCount("histogram_numeric", "histogram_numeric(col, nb)", request.args.size(), 2, 2));
  TypePtr type = request.args[0]->type;
  if (!IsMeasurable(*type)) {
    type = arrow::float64();
    ARROW_RETURN_NOT_OK(CheckCasts(request, 0, type, kMeasurable));
  }
  const TypePtr bins =
      arrow::list(arrow::struct_({arrow::field("x", type), arrow::field("y", arrow::float64())}));
  BoundAggregate signature = MakeSignature("histogram_numeric", {type}, bins, {arrow::binary()});
  ARROW_ASSIGN_OR_RAISE(auto count, ConstantOf(request.args[1], arrow::int32()));
  if (count == nullptr) return NotConstant(TextOf(request), "nb", "INT", *request.args[1]);
  if (!count->is_valid) {
    return RefuseCall(TextOf(request), "UNEXPECTED_NULL", "The nb must not be null.");
  }
  signature.arg_types.push_back(arrow::int32());
  signature.constants.size = static_cast<const arrow::Int32Scalar&>(*count).value;
  if (signature.constants.size < 2) {
    return RefuseCall(TextOf(request), "VALUE_OUT_OF_RANGE",
                      fmt::format("The nb must be between [2, 2147483647] (current value = {}).",
                                  signature.constants.size));
  }
  return signature;
}

}  // namespace

void AddSketchAggregates(AggregateCatalog* catalog) {
  AggregateInfo distinct;
  distinct.name = "approx_count_distinct";
  distinct.usage = "approx_count_distinct(expr[, relativeSD])";
  distinct.ignores_duplicates = true;
  distinct.bind = BindDistinctEstimate;
  catalog->Add(std::move(distinct));

  AggregateInfo histogram;
  histogram.name = "histogram_numeric";
  histogram.usage = "histogram_numeric(col, nb)";
  histogram.bind = BindHistogram;
  catalog->Add(std::move(histogram));
}

}  // namespace tidemill
