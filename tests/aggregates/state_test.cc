// Every aggregate function's accumulator in the life that state has: merged over partial results,
// undone, exported, imported elsewhere, damaged.
#include <arrow/builder.h>

#include <cmath>
#include <random>
#include <set>

#include "common/base/error.h"
#include "tests/aggregates/aggregate_fixture.h"

namespace tidemill::testing {
namespace {

constexpr int64_t kRows = 3000;

// A call of each function, and of some several times.
std::vector<CallSpec> AllCalls() {
  std::vector<CallSpec> calls = {
      {"count", {"DOUBLE", "STRING"}},
      {"count_if", {"BOOLEAN"}},
      {"sum", {"INT"}},
      {"sum", {"DOUBLE"}},
      {"sum", {"DECIMAL(10,2)"}},
      {"try_sum", {"INT"}},
      {"sum", {"INTERVAL YEAR TO MONTH"}},
      {"avg", {"INTERVAL DAY TO SECOND"}},
      {"avg", {"DOUBLE"}},
      {"try_avg", {"DECIMAL(10,2)"}},
      {"product", {"DOUBLE"}},
      {"min", {"STRING"}},
      {"max", {"ARRAY<INT>"}},
      {"min", {"STRUCT<a: INT, b: STRING>"}},
      {"bool_and", {"BOOLEAN"}},
      {"bool_or", {"BOOLEAN"}},
      {"bit_and", {"INT"}},
      {"bit_or", {"INT"}},
      {"bit_xor", {"INT"}},
      {"first", {"STRING"}},
      {"first", {"ARRAY<INT>"}, {Truth(true)}},
      {"last", {"INT"}, {Truth(true)}},
      {"last", {"STRING"}},
      {"any_value", {"BOOLEAN"}},
      {"max_by", {"STRING", "INT"}},
      {"min_by", {"INT", "STRUCT<a: INT, b: STRING>"}},
      {"collect_list", {"STRING"}},
      {"collect_list", {"STRUCT<a: INT, b: STRING>"}},
      {"collect_set", {"INT"}},
      {"listagg", {"STRING"}, {Text(", ")}},
      {"listagg", {"STRING"}, {Text("-")}, false, {"INT"}},
      {"mode", {"STRING"}},
      {"percentile", {"DOUBLE"}, {Number(0.3)}},
      {"median", {"INT"}},
      {"percentile_cont", {}, {Number(0.5)}, false, {"DOUBLE"}},
      {"percentile_disc", {}, {Number(0.9)}, false, {"DOUBLE"}},
      {"approx_percentile", {"INT"}, {Number(0.5)}},
      {"approx_percentile", {"DOUBLE"}, {Number(0.9), Integer(10)}},
      {"tdigest_percentile", {"DOUBLE"}, {Number(0.9), Integer(1000)}},
      {"histogram_numeric", {"DOUBLE"}, {Integer(50)}},
      {"count", {"INT", "STRING"}, {}, true},
      {"sum", {"INT"}, {}, true},
      {"collect_list", {"STRING"}, {}, true},
  };
  if (IsAggregateName("approx_count_distinct")) {
    calls.push_back({"approx_count_distinct", {"INT"}});
    calls.push_back({"approx_count_distinct", {"STRING"}, {Number(0.2)}});
  }
  for (const char* name :
       {"stddev_samp", "stddev_pop", "var_samp", "var_pop", "skewness", "kurtosis"})
    calls.push_back({name, {"DOUBLE"}});
  for (const char* name :
       {"covar_pop", "covar_samp", "corr", "regr_count", "regr_avgx", "regr_avgy", "regr_sxx",
        "regr_syy", "regr_sxy", "regr_r2", "regr_slope", "regr_intercept"})
    calls.push_back({name, {"DOUBLE", "DOUBLE"}});
  return calls;
}

// Values of any type, every tenth NULL; sums of the numbers are exact.
std::string RandomJson(const arrow::DataType& type, std::mt19937_64* random) {
  const int64_t number = static_cast<int64_t>((*random)() % 41) - 20;
  if ((*random)() % 10 == 0) return "null";
  switch (type.id()) {
    case arrow::Type::BOOL:
      return number > -15 ? "true" : "false";
    case arrow::Type::STRING:
      return "\"w" + std::to_string(number) + "\"";
    case arrow::Type::DECIMAL128:
      return "\"" + std::to_string(number) + ".25\"";
    case arrow::Type::DOUBLE:
      return std::to_string(number) + ".5";
    case arrow::Type::LIST:
      return "[" + RandomJson(*type.field(0)->type(), random) + "," + std::to_string(number) + "]";
    case arrow::Type::STRUCT: {
      std::string fields;
      for (const auto& field : type.fields()) {
        fields += (fields.empty() ? "" : ",") + RandomJson(*field->type(), random);
      }
      return "[" + fields + "]";
    }
    default:
      return std::to_string(number);
  }
}

struct Sample {
  arrow::ArrayVector inputs;
  std::shared_ptr<arrow::Array> groups;
};

Sample SampleOf(const CallSpec& spec) {
  std::mt19937_64 random(11);
  std::vector<std::string> types = spec.types;
  types.insert(types.end(), spec.order.begin(), spec.order.end());
  std::vector<std::string> columns;
  for (const std::string& type : types) {
    std::string json = "[";
    for (int64_t i = 0; i < kRows; ++i) {
      json += (i == 0 ? "" : ",") + RandomJson(*ParseDdlType(type).ValueOrDie(), &random);
    }
    columns.push_back(json + "]");
  }
  arrow::Int64Builder groups;
  for (int64_t i = 0; i < kRows; ++i) EXPECT_TRUE(groups.Append(random() % 7).ok());
  return {InputsOf(spec, columns), groups.Finish().ValueOrDie()};
}

std::string NameOf(const CallSpec& spec) { return Bind(spec).ValueOrDie().text; }

// Moments and sums over DOUBLE are merged in another order than the rows come in.
bool IsRounded(const CallSpec& spec) {
  const auto& name = spec.function;
  return name.starts_with("regr_") || name.starts_with("covar") || name.starts_with("stddev") ||
         name.starts_with("var_") || name == "corr" || name == "skewness" || name == "kurtosis" ||
         name == "avg";
}

void ExpectSame(const std::vector<std::pair<int64_t, std::string>>& got,
                const std::vector<std::pair<int64_t, std::string>>& want, const CallSpec& spec) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].first, want[i].first);
    if (!IsRounded(spec)) {
      EXPECT_EQ(got[i].second, want[i].second);
    } else {
      const double value = std::stod(want[i].second);
      EXPECT_NEAR(std::stod(got[i].second), value, 1e-9 * (1 + std::abs(value)));
    }
  }
}

TEST(AggregateStateTest, PartialResultsMergeToTheAnswerForAllRows) {
  for (const CallSpec& spec : AllCalls()) {
    if (spec.function == "histogram_numeric") continue;  // which bins are joined depends on when
    SCOPED_TRACE(NameOf(spec));
    const Sample sample = SampleOf(spec);
    const auto kernel = KernelOf(spec);
    GroupTable whole(kernel->signature(), /*is_transactional=*/true);
    GroupTable parts(kernel->signature(), /*is_transactional=*/true);

    ASSERT_TRUE(AddPartial(*kernel, sample.inputs, sample.groups, {0, kRows}, &whole).ok());
    for (int64_t begin = 0; begin < kRows; begin += 300) {
      ASSERT_TRUE(
          AddPartial(*kernel, sample.inputs, sample.groups, {begin, begin + 300}, &parts).ok());
    }

    ExpectSame(parts.Results(*kernel).ValueOrDie(), whole.Results(*kernel).ValueOrDie(), spec);
  }
}

// Each epoch is tried twice, the first time undone; then its changes go to another table, which
// goes on instead.
TEST(AggregateStateTest, UndoneAndRestoredStateGivesTheSameAnswer) {
  for (const CallSpec& spec : AllCalls()) {
    SCOPED_TRACE(NameOf(spec));
    const Sample sample = SampleOf(spec);
    const auto kernel = KernelOf(spec);
    GroupTable undisturbed(kernel->signature(), /*is_transactional=*/true);
    auto table = std::make_unique<GroupTable>(kernel->signature(), /*is_transactional=*/true);
    std::vector<state::RowBlock> changes;

    for (int64_t begin = 0; begin < kRows; begin += 500) {
      ASSERT_TRUE(
          AddPartial(*kernel, sample.inputs, sample.groups, {begin, begin + 500}, &undisturbed)
              .ok());
      undisturbed->CommitEpoch(begin);
      ASSERT_TRUE(AddPartial(*kernel, sample.inputs, sample.groups, {0, 700}, table.get()).ok());
      (*table)->UndoEpoch();
      ASSERT_TRUE(
          AddPartial(*kernel, sample.inputs, sample.groups, {begin, begin + 500}, table.get())
              .ok());
      (*table)->ExportChanges(&changes.emplace_back());
      auto restored = std::make_unique<GroupTable>(kernel->signature(), /*is_transactional=*/true);
      for (const state::RowBlock& block : changes) {
        ASSERT_TRUE((*restored)->Import(block).ok());
        (*restored)->CommitEpoch(begin);
      }
      table = std::move(restored);
    }

    EXPECT_EQ(table->Results(*kernel).ValueOrDie(), undisturbed.Results(*kernel).ValueOrDie());
  }
}

// What a damaged accumulator gives: an answer or CHECKPOINT_CORRUPT, and no access out of bounds
// (the sanitizer builds look).
TEST(AggregateStateTest, DamagedBytesAreCorruptOrHarmless) {
  std::mt19937_64 random(5);
  int corrupt = 0;
  for (const CallSpec& spec : AllCalls()) {
    SCOPED_TRACE(NameOf(spec));
    const Sample sample = SampleOf(spec);
    const auto kernel = KernelOf(spec);
    for (int round = 0; round < 25; ++round) {
      GroupTable table(kernel->signature(), /*is_transactional=*/true);
      ASSERT_TRUE(AddPartial(*kernel, sample.inputs, sample.groups, {0, 200}, &table).ok());
      for (int i = 0; i < table->num_columns(); ++i) {
        state::StateColumn& column = table->column(i);
        if (column.width() >= 0 || column.validity()[0] == 0) continue;
        std::string bytes(column.GetBytes(0));
        if (bytes.empty()) continue;
        if (round % 2 == 0) bytes.resize(random() % bytes.size());
        for (int flips = 0; flips < 3 && !bytes.empty(); ++flips) {
          bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        column.SetBytes(0, bytes);
      }
      arrow::Status status = table.Results(*kernel).status();
      if (status.ok()) {
        status = AddPartial(*kernel, sample.inputs, sample.groups, {200, 400}, &table);
      }
      if (status.ok()) status = table.Results(*kernel).status();
      if (status.ok()) continue;
      ++corrupt;
      EXPECT_EQ(ErrorClassOf(status), "CHECKPOINT_CORRUPT") << status.ToString();
    }
  }
  EXPECT_GT(corrupt, 50);
}

TEST(AggregateStateTest, EveryFunctionIsTestedHere) {
  std::set<std::string> tested;
  for (const CallSpec& spec : AllCalls()) tested.insert(FindAggregate(spec.function)->name);
  for (const std::string& name : AggregateNames()) {
    EXPECT_TRUE(tested.contains(FindAggregate(name)->name)) << name;
  }
}

}  // namespace
}  // namespace tidemill::testing
