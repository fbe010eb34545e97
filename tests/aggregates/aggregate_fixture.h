#pragma once

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/aggregates/aggregate_registry.h"
#include "common/expr/function_registry.h"
#include "common/types/ddl.h"
#include "state/table/hot_table.h"
#include "worker/aggregates/aggregate_kernel.h"

namespace tidemill::testing {

// A call of an aggregate function: columns come first, then constants.
struct CallSpec {
  std::string function;
  std::vector<std::string> types;  // of the columns
  std::vector<ExprPtr> constants = {};
  bool is_distinct = false;
  // Column types of WITHIN GROUP (ORDER BY ...), which are columns behind the others.
  std::vector<std::string> order = {};
};

inline ExprPtr Number(double value) { return MakeLiteral(arrow::MakeScalar(value)); }
inline ExprPtr Integer(int32_t value) { return MakeLiteral(arrow::MakeScalar(value)); }
inline ExprPtr Truth(bool value) { return MakeLiteral(arrow::MakeScalar(value)); }
inline ExprPtr Text(const std::string& value) {
  return MakeLiteral(std::make_shared<arrow::StringScalar>(value));
}

inline arrow::Result<BoundAggregate> Bind(const CallSpec& spec) {
  std::vector<ExprPtr> args;
  for (const std::string& type : spec.types) {
    const auto index = static_cast<int>(args.size());
    args.push_back(MakeColumn(index, "x" + std::to_string(index), *ParseDdlType(type)));
  }
  args.insert(args.end(), spec.constants.begin(), spec.constants.end());
  std::vector<AggregateOrder> order;
  for (const std::string& type : spec.order) {
    order.push_back({MakeColumn(static_cast<int>(order.size()), "k", *ParseDdlType(type))});
  }
  return ResolveAggregateCall(
      {.name = spec.function, .args = args, .order = order, .is_distinct = spec.is_distinct});
}

inline std::shared_ptr<const worker::AggregateKernel> KernelOf(const CallSpec& spec) {
  return worker::MakeAggregateKernel(Bind(spec).ValueOrDie()).ValueOrDie();
}

// The inputs of a call out of JSON arrays, cast as the call wants them.
inline arrow::ArrayVector InputsOf(const CallSpec& spec, const std::vector<std::string>& columns) {
  const BoundAggregate call = Bind(spec).ValueOrDie();
  std::vector<std::string> types = spec.types;
  types.insert(types.end(), spec.order.begin(), spec.order.end());
  arrow::ArrayVector inputs;
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto values =
        arrow::json::ArrayFromJSONString(*ParseDdlType(types[i]), columns[i]).ValueOrDie();
    inputs.push_back(values->type()->Equals(call.input_types[i])
                         ? values
                         : *arrow::compute::Cast(*values, call.input_types[i]));
  }
  return inputs;
}

// A table whose keys are group numbers.
class GroupTable {
 public:
  GroupTable(const BoundAggregate& call, bool is_transactional)
      : table_({.keys = state::KeyCodec::Make({arrow::int64()}).ValueOrDie(),
                .values = call.state_types,
                .is_transactional = is_transactional}) {}

  std::vector<uint32_t> RowsOf(const std::shared_ptr<arrow::Array>& groups) {
    state::EncodedKeys keys;
    EXPECT_TRUE(table_.key_codec().Encode({groups}, groups->length(), &keys).ok());
    std::vector<uint32_t> rows(groups->length());
    table_.FindOrInsert(keys, 0, groups->length(), rows.data(), nullptr);
    return rows;
  }
  state::HotTable* operator->() { return &table_; }
  state::HotTable& operator*() { return table_; }

  // The result of each group, by group number.
  arrow::Result<std::vector<std::pair<int64_t, std::string>>> Results(
      const worker::AggregateKernel& kernel) {
    std::vector<uint32_t> rows;
    table_.LiveRows(&rows);
    ARROW_ASSIGN_OR_RAISE(auto keys, table_.KeyArrays(rows, arrow::default_memory_pool()));
    ARROW_ASSIGN_OR_RAISE(auto state, table_.ValueArrays(rows, arrow::default_memory_pool()));
    ARROW_ASSIGN_OR_RAISE(auto values, kernel.Finish(state, arrow::default_memory_pool()));
    EXPECT_TRUE(values->type()->Equals(*kernel.signature().type)) << values->type()->ToString();
    std::vector<std::pair<int64_t, std::string>> results;
    for (size_t i = 0; i < rows.size(); ++i) {
      results.emplace_back(static_cast<const arrow::Int64Array&>(*keys[0]).Value(i),
                           values->GetScalar(i).ValueOrDie()->ToString());
    }
    std::sort(results.begin(), results.end());
    return results;
  }

 private:
  state::HotTable table_;
};

struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;
};

// Aggregates some rows apart and adds the result to `table`, as the operators do.
inline arrow::Status AddPartial(const worker::AggregateKernel& kernel,
                                const arrow::ArrayVector& inputs,
                                const std::shared_ptr<arrow::Array>& groups, RowRange rows,
                                GroupTable* table) {
  GroupTable partial(kernel.signature(), /*is_transactional=*/false);
  const auto slice = groups->Slice(rows.begin, rows.end - rows.begin);
  const std::vector<uint32_t> target = partial.RowsOf(slice);
  ARROW_RETURN_NOT_OK(
      kernel.Update(inputs, rows.begin, rows.end, target.data(), &partial->column(0)));
  std::vector<uint32_t> live;
  partial->LiveRows(&live);
  ARROW_ASSIGN_OR_RAISE(auto keys, partial->KeyArrays(live, arrow::default_memory_pool()));
  ARROW_ASSIGN_OR_RAISE(auto state, partial->ValueArrays(live, arrow::default_memory_pool()));
  const std::vector<uint32_t> merged = table->RowsOf(keys[0]);
  (*table)->Touch(merged);
  return kernel.Merge(state, 0, static_cast<int64_t>(merged.size()), merged.data(),
                      &(*table)->column(0));
}

}  // namespace tidemill::testing
