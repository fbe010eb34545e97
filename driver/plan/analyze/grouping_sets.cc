#include "driver/plan/analyze/grouping_sets.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/generators.h"
#include "driver/plan/analyze/literal_binder.h"
#include "driver/plan/logical/plan_error.h"

namespace tidemill::driver {

namespace {

ExprPtr Text(std::string text, Span span) {
  return MakeLiteral(std::make_shared<arrow::StringScalar>(std::move(text)), span);
}

using BindKey = std::function<arrow::Result<int>(const sql::AstExpr&)>;
using Kind = sql::GroupingElement::Kind;

// More sets than this are no report that anyone reads.
constexpr size_t kMaxSets = 4096;

// Every combination of a set of one list with a set of the other.
arrow::Result<GroupingSets> Cross(const GroupingSets& a, const GroupingSets& b, Span span) {
  GroupingSets crossed;
  if (a.sets.size() * b.sets.size() > kMaxSets) {
    return QueryError("GROUPING_SIZE_LIMIT_EXCEEDED",
                      fmt::format("Grouping sets size cannot be greater than {}.", kMaxSets), span);
  }
  for (const std::vector<int>& left : a.sets) {
    for (const std::vector<int>& right : b.sets) {
      std::set<int> both(left.begin(), left.end());
      both.insert(right.begin(), right.end());
      crossed.sets.emplace_back(both.begin(), both.end());
    }
  }
  return crossed;
}

arrow::Result<GroupingSets> SetsOfElement(const sql::GroupingElement& element,
                                          const BindKey& bind) {
  std::vector<GroupingSets> parts;
  std::set<int> own;
  for (const sql::AstExpr& expr : element.exprs) {
    ARROW_ASSIGN_OR_RAISE(const int key, bind(expr));
    own.insert(key);
  }
  for (const sql::GroupingElement& part : element.elements) {
    ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), SetsOfElement(part, bind));
  }
  const GroupingSets nothing{{{}}};
  GroupingSets sets;
  switch (element.kind) {
    case Kind::kSet:
      return GroupingSets{{{own.begin(), own.end()}}};
    case Kind::kGroupingSets:
      for (const GroupingSets& part : parts) {
        sets.sets.insert(sets.sets.end(), part.sets.begin(), part.sets.end());
      }
      return sets;
    case Kind::kRollup:
      // (a, b), (a), ()
      for (size_t count = parts.size() + 1; count-- > 0;) {
        GroupingSets prefix = nothing;
        for (size_t i = 0; i < count; ++i) {
          ARROW_ASSIGN_OR_RAISE(prefix, Cross(prefix, parts[i], element.span));
        }
        sets.sets.push_back(std::move(prefix.sets[0]));
      }
      return sets;
    case Kind::kCube:
      sets = nothing;
      for (GroupingSets& part : parts) {
        part.sets.emplace_back();
        ARROW_ASSIGN_OR_RAISE(sets, Cross(sets, part, element.span));
      }
      return sets;
  }
  return sets;
}

// The row of one set, as a struct.
arrow::Result<ExprPtr> RowOf(const std::vector<ExprPtr>& keys, const std::vector<int>& set,
                             int64_t number, bool has_number, Span span) {
  std::vector<ExprPtr> fields;
  int64_t id = 0;
  for (int key = 0; key < static_cast<int>(keys.size()); ++key) {
    const bool is_in = std::binary_search(set.begin(), set.end(), key);
    id = id * 2 + (is_in ? 0 : 1);
    fields.push_back(Text(fmt::format("k{}", key), span));
    fields.push_back(is_in ? keys[key] : MakeLiteral(arrow::MakeNullScalar(keys[key]->type), span));
  }
  fields.push_back(Text("grouping_id", span));
  fields.push_back(LongLiteral(id, span));
  if (has_number) {
    fields.push_back(Text("grouping_number", span));
    fields.push_back(LongLiteral(number, span));
  }
  return MakeCall("named_struct", std::move(fields), span);
}

}  // namespace

bool GroupingSets::has_repeats() const {
  return std::set<std::vector<int>>(sets.begin(), sets.end()).size() < sets.size();
}

arrow::Result<GroupingSets> SetsOf(const std::vector<sql::GroupingElement>& elements,
                                   const BindKey& bind) {
  GroupingSets sets{{{}}};
  bool has_sets = false;
  for (const sql::GroupingElement& element : elements) {
    ARROW_ASSIGN_OR_RAISE(const GroupingSets part, SetsOfElement(element, bind));
    has_sets = has_sets || element.kind != Kind::kSet;
    ARROW_ASSIGN_OR_RAISE(sets, Cross(sets, part, element.span));
  }
  return has_sets ? sets : GroupingSets{};
}

arrow::Result<LogicalPlanPtr> ExpandSets(LogicalPlanPtr input, const std::vector<ExprPtr>& keys,
                                         const GroupingSets& sets, Span span) {
  const bool has_number = sets.has_repeats();
  std::vector<ExprPtr> rows;
  for (const std::vector<int>& set : sets.sets) {
    const auto number = static_cast<int64_t>(rows.size());
    ARROW_ASSIGN_OR_RAISE(ExprPtr row, RowOf(keys, set, number, has_number, span));
    rows.push_back(std::move(row));
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr all, MakeCall("array", std::move(rows), span));
  ARROW_ASSIGN_OR_RAISE(Generator generator, ResolveGenerator("inline", {std::move(all)}, span));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i]->kind != Expr::Kind::kColumn) continue;
    generator.fields[i].event_time = input->output[keys[i]->column].event_time;
  }
  return ApplyGenerator(std::move(input), std::move(generator));
}

arrow::Result<ExprPtr> GroupingOf(int key, int num_keys, Span span) {
  ExprPtr id = MakeColumn(kGroupingId, "spark_grouping_id", arrow::int64(), span);
  const int64_t weight = int64_t{1} << (num_keys - 1 - key);
  ARROW_ASSIGN_OR_RAISE(ExprPtr shifted,
                        MakeCall("div", {std::move(id), LongLiteral(weight, span)}, span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr bit,
                        MakeCall("%", {std::move(shifted), LongLiteral(2, span)}, span));
  return MakeCast(std::move(bit), arrow::int8(), /*is_try=*/false, span);
}

}  // namespace tidemill::driver
