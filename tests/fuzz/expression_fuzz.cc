// Any expression that binds over columns of every type gives a valid array of its type, the same
// for a batch as for its rows one by one, or an error of the user's.
#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <string>
#include <string_view>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/expr/evaluator.h"
#include "driver/sql/parser.h"
#include "tests/fuzz/bound_expression.h"
#include "tests/testing/batches.h"

namespace {

using namespace tidemill;  // NOLINT(google-build-using-namespace): a program of one file.

constexpr const char* kColumns =
    "a INT, b BIGINT, f FLOAT, d DOUBLE, n DECIMAL(10,2), s STRING, x BINARY, day DATE, "
    "ts TIMESTAMP, ok BOOLEAN, l ARRAY<INT>, m MAP<STRING, INT>, r STRUCT<p: INT, q: STRING>";
constexpr const char* kRows = R"([
  [1, 2, 0.5, -1.5, "3.25", "tide", "mill", 19000, 1700000000000000, true, [1, null, 3],
   [["k", 1]], {"p": 1, "q": "x"}],
  [null, null, null, null, null, null, null, null, null, null, null, null, null],
  [-2147483648, 9223372036854775807, 1e30, 1e300, "-99999999.99", "", "", -719528, -1, false, [],
   [], {"p": null, "q": null}],
  [0, 0, 0, 0, "0.00", "12", "ä\n", 0, 0, true, [7], [["a", null], ["b", 2]], {"p": 0, "q": "12"}]
])";

const arrow::RecordBatch& Batch() {
  static const auto batch = tidemill::testing::MakeBatch(kColumns, kRows);
  return *batch;
}

void Evaluate(const CompiledExpr& compiled, const EvalContext& context,
              const arrow::RecordBatch& batch) {
  const auto array = compiled.Evaluate(context, batch);
  if (!array.ok()) {
    TIDEMILL_CHECK(KindOf(array.status()) != ErrorKind::kBug);
    return;
  }
  TIDEMILL_CHECK((*array)->length() == batch.num_rows());
  TIDEMILL_CHECK((*array)->type()->Equals(*compiled.expr()->type));
  // A STRING made of BINARY may hold any bytes, as in Spark.
  const arrow::Status valid = (*array)->ValidateFull();
  TIDEMILL_CHECK(valid.ok() || valid.message().find("UTF8") != std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 2000) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto zone = FindTimeZone("Europe/Paris").ValueOrDie();
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), int64_t{64} << 20);
  EvalContext context{.epoch_time_us = 1'700'000'000'000'000, .zone = zone, .seed = 1};
  context.pool = &pool;
  const auto bound = fuzz::BindExpression(text, *Batch().schema(), context);
  if (!bound.ok()) {
    TIDEMILL_CHECK(KindOf(bound.status()) != ErrorKind::kBug);
    return 0;
  }
  const auto compiled = CompiledExpr::Make(*bound);
  if (!compiled.ok()) return 0;
  (void)FoldConstant(*bound, context);
  Evaluate(**compiled, context, Batch());
  Evaluate(**compiled, context, *Batch().Slice(1, 2));
  Evaluate(**compiled, context, *Batch().Slice(0, 0));
  return 0;
}
