#include "driver/plan/analyze/relation/pivot.h"

#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/ascii.h"
#include "common/expr/evaluator.h"
#include "common/expr/function_registry.h"
#include "common/expr/type_coercion.h"
#include "common/types/ddl.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/relation/relation_analyzer.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

using Exprs = std::vector<ExprPtr>;

// The first column of the input outside aggregate functions, or nullptr.
const Expr* FindPlainColumn(const Expr& expr) {
  if (expr.kind == Expr::Kind::kColumn && expr.column < kAggregateColumns) return &expr;
  for (const ExprPtr& arg : expr.args) {
    if (const Expr* found = FindPlainColumn(*arg)) return found;
  }
  return nullptr;
}

// Results of aggregate calls stand at `begin` and behind.
ExprPtr PlaceCalls(const ExprPtr& expr, int begin) {
  if (expr->kind == Expr::Kind::kColumn) {
    return MakeColumn(begin + expr->column - kAggregateColumns, expr->name, expr->type, expr->span);
  }
  if (expr->args.empty()) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) arg = PlaceCalls(arg, begin);
  return copy;
}

class PivotBuilder {
 public:
  PivotBuilder(const sql::Pivot& pivot, LogicalPlanPtr input, const QueryScope& scope)
      : pivot_(pivot), input_(std::move(input)), scope_(scope), names_(input_->output) {}

  arrow::Result<LogicalPlanPtr> Run() {
    ARROW_RETURN_NOT_OK(BindAggregates());
    ARROW_RETURN_NOT_OK(BindColumns());
    ARROW_RETURN_NOT_OK(BindValues());
    const bool is_by_value = std::all_of(items_.begin(), items_.end(), [](const ExprPtr& item) {
      return IsNumericType(*item->type) || item->type->id() == arrow::Type::BOOL;
    });
    return is_by_value ? AggregateByValue() : AggregateWithFilter();
  }

 private:
  struct Value {
    ExprPtr value;  // of the type of the columns
    std::string name;
  };

  ExprBinder Binder() {
    return ExprBinder(names_, {.query = scope_.context.query,
                               .zone = scope_.context.zone.get(),
                               .calls = &calls_,
                               .outer = scope_.outer});
  }

  ExprPtr Fold(const ExprPtr& expr) const {
    EvalContext context;
    context.zone = scope_.context.zone;
    context.pool = arrow::default_memory_pool();
    const ExprPtr folded = FoldConstant(expr, context);
    return folded == nullptr ? expr : folded;
  }

  arrow::Status BindAggregates() {
    for (const sql::SelectItem& item : pivot_.aggregates) {
      ExprBinder binder = Binder();
      ARROW_ASSIGN_OR_RAISE(ExprPtr expr, binder.Bind(item.expr));
      if (const Expr* column = FindPlainColumn(*expr)) {
        return QueryError("MISSING_AGGREGATION",
                          fmt::format("Aggregate expression required for pivot, but '{}' did not "
                                      "appear in any aggregate function.",
                                      column->name),
                          column->span);
      }
      items_.push_back(std::move(expr));
    }
    return arrow::Status::OK();
  }

  // What neither a column of FOR nor an aggregate names is grouped by.
  arrow::Status BindColumns() {
    std::vector<bool> is_used(input_->output.size());
    for (const AggregateCall& call : calls_) {
      for (const ExprPtr& arg : call.args) CollectColumns(*arg, &is_used);
    }
    for (const sql::AstExpr& column : pivot_.columns) {
      ExprBinder binder = Binder();
      ARROW_ASSIGN_OR_RAISE(columns_.emplace_back(), binder.Bind(column));
      CollectColumns(*columns_.back(), &is_used);
    }
    for (int i = 0; i < static_cast<int>(is_used.size()); ++i) {
      if (!is_used[i]) groups_.push_back(ColumnAt(*input_, i, pivot_.span));
    }
    return arrow::Status::OK();
  }

  // The columns of FOR as one, from the column `begin` of a relation on.
  arrow::Result<ExprPtr> Key(const Exprs& columns) const {
    if (columns.size() == 1) return columns[0];
    Exprs fields;
    for (const ExprPtr& column : columns) {
      fields.push_back(
          MakeLiteral(std::make_shared<arrow::StringScalar>(column->name), pivot_.span));
      fields.push_back(column);
    }
    return MakeCall("named_struct", std::move(fields), pivot_.span);
  }

  arrow::Status BindValues() {
    ARROW_ASSIGN_OR_RAISE(const ExprPtr key, Key(columns_));
    for (const sql::SelectItem& item : pivot_.values) {
      ExprBinder binder = Binder();
      ARROW_ASSIGN_OR_RAISE(const ExprPtr value, binder.Bind(item.expr));
      const bool is_constant = FindPlainColumn(*value) == nullptr && IsDeterministic(*value);
      if (!is_constant) {
        return QueryError("NON_LITERAL_PIVOT_VALUES",
                          fmt::format("Literal expressions required for pivot values, found {}.",
                                      QuotedSql(ExprText(*value))),
                          item.expr.span);
      }
      auto cast = MakeCast(value, key->type, /*is_try=*/false, item.expr.span);
      if (!cast.ok()) {
        return QueryError("PIVOT_VALUE_DATA_TYPE_MISMATCH",
                          fmt::format("Invalid pivot value '{}': value data type {} does not match "
                                      "pivot column data type {}.",
                                      ExprText(*value), AsciiLower(SqlTypeName(*value->type)),
                                      AsciiLower(SqlTypeName(*key->type))),
                          item.expr.span);
      }
      ARROW_ASSIGN_OR_RAISE(std::string name, NameOf(item, value));
      // Nested values have no form as literals.
      const bool is_nested = (*cast)->type->num_fields() > 0;
      values_.push_back({is_nested ? *cast : Fold(*cast), std::move(name)});
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::string> NameOf(const sql::SelectItem& item, const ExprPtr& value) const {
    if (!item.alias.empty()) return item.alias;
    ARROW_ASSIGN_OR_RAISE(ExprPtr text,
                          MakeCast(value, arrow::utf8(), /*is_try=*/false, item.expr.span));
    text = Fold(text);
    if (text->kind != Expr::Kind::kLiteral) return ExprText(*value);
    if (!text->literal->is_valid) return "null";
    return static_cast<const arrow::StringScalar&>(*text->literal).value->ToString();
  }

  PlanField FieldOf(const Value& value, size_t item) const {
    const sql::SelectItem& aggregate = pivot_.aggregates[item];
    if (items_.size() == 1) return {"", value.name, items_[item]->type};
    const std::string name = aggregate.alias.empty() ? ExprText(*items_[item]) : aggregate.alias;
    return {"", value.name + "_" + name, items_[item]->type};
  }

  std::vector<PlanField> GroupFields() const {
    std::vector<PlanField> fields;
    for (const ExprPtr& group : groups_) fields.push_back(input_->output[group->column]);
    return fields;
  }

  // One row for each group and value, then one for each group.
  arrow::Result<LogicalPlanPtr> AggregateByValue() {
    const Span span = pivot_.span;
    Exprs keys = groups_;
    keys.insert(keys.end(), columns_.begin(), columns_.end());
    const auto num_groups = static_cast<int>(groups_.size());
    const auto num_keys = static_cast<int>(keys.size());
    LogicalPlanPtr plan = MakeAggregate(input_, std::move(keys), calls_, span);
    Exprs exprs;
    std::vector<PlanField> fields;
    for (int i = 0; i < num_keys; ++i) {
      exprs.push_back(ColumnAt(*plan, i, span));
      fields.push_back(plan->output[i]);
    }
    for (const ExprPtr& item : items_) {
      exprs.push_back(PlaceCalls(item, num_keys));
      fields.push_back({"", ExprText(*item), item->type});
    }
    plan = MakeProject(std::move(plan), std::move(exprs), std::move(fields), span);
    Exprs columns;
    for (int i = num_groups; i < num_keys; ++i) columns.push_back(ColumnAt(*plan, i, span));
    ARROW_ASSIGN_OR_RAISE(const ExprPtr key, Key(columns));
    std::vector<AggregateCall> calls;
    std::vector<PlanField> shown = GroupFields();
    for (const Value& value : values_) {
      ARROW_ASSIGN_OR_RAISE(const ExprPtr is_it, MakeCall("<=>", {key, value.value}, span));
      for (size_t item = 0; item < items_.size(); ++item) {
        const ExprPtr result = ColumnAt(*plan, num_keys + static_cast<int>(item), span);
        ARROW_ASSIGN_OR_RAISE(
            ExprPtr here,
            MakeCall("if", {is_it, result, MakeLiteral(arrow::MakeNullScalar(result->type), span)},
                     span));
        const ExprPtr ignores_nulls =
            MakeLiteral(std::make_shared<arrow::BooleanScalar>(true), span);
        ARROW_ASSIGN_OR_RAISE(calls.emplace_back(),
                              MakeAggregateCall("first", {std::move(here), ignores_nulls}, span));
        shown.push_back(FieldOf(value, item));
      }
    }
    Exprs groups;
    for (int i = 0; i < num_groups; ++i) groups.push_back(ColumnAt(*plan, i, span));
    plan = MakeAggregate(std::move(plan), std::move(groups), std::move(calls), span);
    Exprs all;
    for (int i = 0; i < static_cast<int>(plan->output.size()); ++i) {
      all.push_back(ColumnAt(*plan, i, span));
    }
    return MakeProject(std::move(plan), std::move(all), std::move(shown), span);
  }

  // Each aggregate over the rows of each value.
  arrow::Result<LogicalPlanPtr> AggregateWithFilter() {
    const Span span = pivot_.span;
    ARROW_ASSIGN_OR_RAISE(const ExprPtr key, Key(columns_));
    std::vector<AggregateCall> calls;
    for (const Value& value : values_) {
      ARROW_ASSIGN_OR_RAISE(const ExprPtr is_it, MakeCall("<=>", {key, value.value}, span));
      for (AggregateCall call : calls_) {
        if (call.has_filter) {
          ARROW_ASSIGN_OR_RAISE(call.args.back(), MakeCall("and", {call.args.back(), is_it}, span));
        } else {
          call.has_filter = true;
          call.args.push_back(is_it);
        }
        calls.push_back(std::move(call));
      }
    }
    LogicalPlanPtr plan = MakeAggregate(input_, groups_, std::move(calls), span);
    Exprs exprs;
    std::vector<PlanField> fields = GroupFields();
    const auto num_groups = static_cast<int>(groups_.size());
    for (int i = 0; i < num_groups; ++i) exprs.push_back(ColumnAt(*plan, i, span));
    for (size_t value = 0; value < values_.size(); ++value) {
      const int begin = num_groups + static_cast<int>(value * calls_.size());
      for (size_t item = 0; item < items_.size(); ++item) {
        exprs.push_back(PlaceCalls(items_[item], begin));
        fields.push_back(FieldOf(values_[value], item));
      }
    }
    return MakeProject(std::move(plan), std::move(exprs), std::move(fields), span);
  }

  const sql::Pivot& pivot_;
  const LogicalPlanPtr input_;
  const QueryScope& scope_;
  const NameScope names_;
  std::vector<AggregateCall> calls_;
  Exprs items_;    // over the results of `calls_`
  Exprs columns_;  // of FOR
  Exprs groups_;
  std::vector<Value> values_;
};

class UnpivotBuilder {
 public:
  UnpivotBuilder(const sql::Unpivot& unpivot, LogicalPlanPtr input)
      : unpivot_(unpivot), input_(std::move(input)), names_(input_->output) {}

  arrow::Result<LogicalPlanPtr> Run() {
    ARROW_RETURN_NOT_OK(FindColumns());
    ARROW_RETURN_NOT_OK(FindTypes());
    const Span span = unpivot_.span;
    Exprs rows;
    for (size_t i = 0; i < sets_.size(); ++i) {
      Exprs fields = {Text("name"), Text(NameOf(unpivot_.columns[i]))};
      for (size_t k = 0; k < types_.size(); ++k) {
        fields.push_back(Text(fmt::format("value{}", k)));
        ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), ImplicitCast(sets_[i][k], types_[k]));
      }
      ARROW_ASSIGN_OR_RAISE(rows.emplace_back(), MakeCall("named_struct", std::move(fields), span));
    }
    ARROW_ASSIGN_OR_RAISE(ExprPtr all, MakeCall("array", std::move(rows), span));
    std::vector<PlanField> generated = {{"", unpivot_.name, arrow::utf8()}};
    for (size_t k = 0; k < types_.size(); ++k) {
      generated.push_back({"", unpivot_.values[k], types_[k]});
    }
    std::vector<int> kept;
    for (int i = 0; i < static_cast<int>(is_value_.size()); ++i) {
      if (!is_value_[i]) kept.push_back(i);
    }
    const auto first = static_cast<int>(kept.size()) + 1;
    LogicalPlanPtr plan = MakeGenerate(input_, "inline", {std::move(all)}, std::move(kept),
                                       std::move(generated), span);
    if (unpivot_.includes_nulls) return plan;
    ExprPtr is_there;
    for (int k = 0; k < static_cast<int>(types_.size()); ++k) {
      ARROW_ASSIGN_OR_RAISE(ExprPtr has_value,
                            MakeCall("isnotnull", {ColumnAt(*plan, first + k, span)}, span));
      if (is_there != nullptr) {
        ARROW_ASSIGN_OR_RAISE(has_value, MakeCall("or", {is_there, has_value}, span));
      }
      is_there = std::move(has_value);
    }
    return MakeFilter(std::move(plan), std::move(is_there), span);
  }

 private:
  ExprPtr Text(std::string text) const {
    return MakeLiteral(std::make_shared<arrow::StringScalar>(std::move(text)), unpivot_.span);
  }

  static std::string NameOf(const sql::Unpivot::Columns& columns) {
    if (!columns.alias.empty()) return columns.alias;
    std::string name;
    for (const sql::AstExpr& part : columns.names) {
      name += (name.empty() ? "" : "_") + part.parts.back();
    }
    return name;
  }

  arrow::Status FindColumns() {
    is_value_.assign(input_->output.size(), false);
    for (const sql::Unpivot::Columns& columns : unpivot_.columns) {
      Exprs& set = sets_.emplace_back();
      for (const sql::AstExpr& name : columns.names) {
        ARROW_ASSIGN_OR_RAISE(ExprPtr column, names_.Find(name.parts, name.span));
        if (column == nullptr) return names_.Unresolved(name.parts, name.span);
        if (column->kind != Expr::Kind::kColumn) {
          return QueryError("UNPIVOT_REQUIRES_ATTRIBUTES",
                            fmt::format("UNPIVOT requires all given value expressions to be "
                                        "columns when no id expressions are given. These are not "
                                        "columns: [\"{} AS {}\"].",
                                        ExprText(*column), name.parts.back()),
                            name.span);
        }
        is_value_[column->column] = true;
        set.push_back(std::move(column));
      }
      if (set.size() == unpivot_.values.size()) continue;
      return QueryError("UNPIVOT_VALUE_SIZE_MISMATCH",
                        fmt::format("All unpivot value columns must have the same size as there "
                                    "are value column names ({}).",
                                    unpivot_.values.size()),
                        columns.names.front().span);
    }
    return arrow::Status::OK();
  }

  arrow::Status FindTypes() {
    for (size_t k = 0; k < unpivot_.values.size(); ++k) {
      std::shared_ptr<arrow::DataType> type = sets_[0][k]->type;
      for (const Exprs& set : sets_) {
        const std::shared_ptr<arrow::DataType>& other = set[k]->type;
        const bool is_text = IsStringType(*type);
        const bool fits = is_text == IsStringType(*other);
        type = fits ? CommonType(type, other) : nullptr;
        if (type == nullptr) return Mismatch(k);
      }
      types_.push_back(std::move(type));
    }
    return arrow::Status::OK();
  }

  arrow::Status Mismatch(size_t k) const {
    std::vector<std::pair<std::string, std::string>> types;  // with their columns
    for (const Exprs& set : sets_) {
      const std::string name = QuotedType(*set[k]->type);
      const auto known = std::find_if(types.begin(), types.end(),
                                      [&](const auto& type) { return type.first == name; });
      if (known == types.end()) {
        types.emplace_back(name, QuotedName(set[k]->name));
      } else {
        known->second += ", " + QuotedName(set[k]->name);
      }
    }
    std::string list;
    for (const auto& [type, columns] : types) {
      list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", type, columns);
    }
    return QueryError("UNPIVOT_VALUE_DATA_TYPE_MISMATCH",
                      fmt::format("Unpivot value columns must share a least common type, some "
                                  "types do not: [{}].",
                                  list),
                      unpivot_.span);
  }

  const sql::Unpivot& unpivot_;
  const LogicalPlanPtr input_;
  const NameScope names_;
  std::vector<bool> is_value_;
  std::vector<Exprs> sets_;
  std::vector<std::shared_ptr<arrow::DataType>> types_;
};

}  // namespace

arrow::Result<LogicalPlanPtr> AnalyzePivot(const sql::Pivot& pivot, LogicalPlanPtr input,
                                           const QueryScope& scope) {
  return PivotBuilder(pivot, DropHiddenColumns(std::move(input), pivot.span), scope).Run();
}

arrow::Result<LogicalPlanPtr> AnalyzeUnpivot(const sql::Unpivot& unpivot, LogicalPlanPtr input) {
  return UnpivotBuilder(unpivot, DropHiddenColumns(std::move(input), unpivot.span)).Run();
}

}  // namespace tidemill::driver
