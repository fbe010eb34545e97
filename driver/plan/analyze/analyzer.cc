#include "driver/plan/analyze/analyzer.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>
#include <string>
#include <utility>

#include "driver/plan/analyze/event_time/watermark.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/generators.h"
#include "driver/plan/analyze/name_scope.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

arrow::Status TableNotFound(const sql::Relation& ref, const AnalyzerContext& context) {
  std::vector<std::string> names;
  for (const auto& source : context.sources) names.push_back(source.name);
  const std::string nearest = NearestName(ref.name, names);
  std::string hint = fmt::format("the declared sources are: {}", fmt::join(names, ", "));
  if (!nearest.empty()) hint = fmt::format("did you mean {}?", QuotedName(nearest));
  if (names.empty()) hint = "the job declares no sources";
  return QueryError("TABLE_OR_VIEW_NOT_FOUND",
                    fmt::format("The table or view {} cannot be found. Verify the spelling and "
                                "correctness of the schema and catalog.",
                                QuotedName(ref.name)),
                    ref.span, std::move(hint));
}

arrow::Result<LogicalPlanPtr> DropDuplicates(LogicalPlanPtr plan,
                                             const SourceDuplicates& duplicates, Span span) {
  if (duplicates.within_watermark && !IsStreaming(plan)) {
    return QueryError("UNSUPPORTED_STREAMING_OPERATION",
                      "dropDuplicatesWithinWatermark is not supported with batch "
                      "DataFrames/DataSets",
                      span);
  }
  const NameScope scope(plan->output);
  std::vector<int> columns;
  for (const std::string& name : duplicates.columns) {
    ARROW_ASSIGN_OR_RAISE(const ExprPtr found, scope.Find({name}, span));
    if (found == nullptr) return scope.Unresolved({name}, span);
    columns.push_back(found->column);
  }
  if (columns.empty()) {
    columns.resize(plan->output.size());
    std::iota(columns.begin(), columns.end(), 0);
  }
  return MakeDeduplicate(std::move(plan), std::move(columns), duplicates.within_watermark, span);
}

arrow::Result<LogicalPlanPtr> AnalyzeTable(const sql::Relation& ref,
                                           const AnalyzerContext& context) {
  // A script declares a table once; read both ways it is two sources of one name.
  const connectors::SourceSpec* source = nullptr;
  for (const auto& candidate : context.sources) {
    if (!EqualsIgnoreCase(candidate.name, ref.name)) continue;
    if (source == nullptr || candidate.is_streaming == ref.is_stream) source = &candidate;
  }
  if (source == nullptr) return TableNotFound(ref, context);
  if (ref.is_stream && !source->is_streaming) {
    return QueryError("SOURCE_NOT_STREAMING",
                      fmt::format("STREAM needs a streaming source: source={} mode=batch",
                                  QuotedName(source->name)),
                      ref.span, "drop STREAM, or declare the source with mode: stream");
  }
  LogicalPlanPtr read = MakeRead(*source, ref.span);
  for (const SourceWatermark& watermark : context.watermarks) {
    if (watermark.source != source->name) continue;
    ARROW_ASSIGN_OR_RAISE(
        read, AddWatermark(std::move(read), watermark.column, watermark.delay_us, ref.span));
  }
  for (const SourceDuplicates& duplicates : context.duplicates) {
    if (duplicates.source == source->name)
      return DropDuplicates(std::move(read), duplicates, ref.span);
  }
  return read;
}

arrow::Result<LogicalPlanPtr> AnalyzeRelation(const sql::Relation& ref,
                                              const AnalyzerContext& context) {
  if (!ref.column_aliases.empty()) {
    return NotSupportedYet("TABLE_COLUMN_ALIASES", "a table alias with column names", ref.span);
  }
  LogicalPlanPtr plan;
  switch (ref.kind) {
    case sql::Relation::Kind::kTable: {
      ARROW_ASSIGN_OR_RAISE(plan, AnalyzeTable(ref, context));
      break;
    }
    case sql::Relation::Kind::kSubquery: {
      ARROW_ASSIGN_OR_RAISE(plan, Analyze(*ref.subquery, context));
      break;
    }
    case sql::Relation::Kind::kFunction:
      return NotSupportedYet("TABLE_FUNCTION", "a table function", ref.span);
    case sql::Relation::Kind::kJoin:
      return NotSupportedYet("JOIN", "JOIN", ref.span);
    case sql::Relation::Kind::kNested: {
      ARROW_ASSIGN_OR_RAISE(plan, AnalyzeRelation(ref.children.front(), context));
      break;
    }
  }
  if (ref.watermark != nullptr) {
    ARROW_ASSIGN_OR_RAISE(plan, AddWatermark(std::move(plan), *ref.watermark, context));
  }
  if (ref.kind == sql::Relation::Kind::kTable && ref.alias.empty()) return plan;
  return MakeSubqueryAlias(std::move(plan), ref.alias, ref.span);
}

arrow::Result<LogicalPlanPtr> AnalyzeLateralView(const sql::LateralView& view, LogicalPlanPtr input,
                                                 const AnalyzerContext& context) {
  if (!IsGeneratorCall(view.call)) {
    return QueryError("UNSUPPORTED_GENERATOR.NOT_GENERATOR",
                      fmt::format("The generator is not supported: {} is expected to be a "
                                  "generator.",
                                  QuotedName(view.call.name)),
                      view.call.span, "generators are explode, posexplode and inline");
  }
  const NameScope scope(input->output);
  ExprBinder binder(scope, {context.query, context.zone.get()});
  ARROW_ASSIGN_OR_RAISE(std::vector<ExprPtr> args, binder.BindAll(view.call.args));
  std::string function = LowerCase(view.call.name);
  ARROW_RETURN_NOT_OK(RewriteGenerator(&function, &args, view.call.span));
  ARROW_ASSIGN_OR_RAISE(auto fields, GeneratedFields(function, args, view.call.span));
  ARROW_ASSIGN_OR_RAISE(fields, RenameGenerated(std::move(fields), view.column_aliases, view.span));
  for (PlanField& field : fields) field.qualifier = view.table_alias;
  if (view.is_outer && !function.ends_with("_outer")) function += "_outer";
  std::vector<int> kept(input->output.size());
  std::iota(kept.begin(), kept.end(), 0);
  return MakeGenerate(std::move(input), std::move(function), std::move(args), std::move(kept),
                      std::move(fields), view.span);
}

arrow::Result<LogicalPlanPtr> AnalyzeWhere(const sql::AstExpr& where, LogicalPlanPtr input,
                                           const AnalyzerContext& context) {
  const sql::AstExpr* wrong = FindAggregateCall(where);
  if (wrong == nullptr) wrong = FindGeneratorCall(where);
  if (wrong != nullptr) {
    return QueryError("INVALID_WHERE_CONDITION",
                      fmt::format("The WHERE condition {} contains invalid expressions: {}. "
                                  "Rewrite the query to avoid window functions, aggregate "
                                  "functions, and generator functions in the WHERE clause.",
                                  QuotedSql(TextAt(context.query, where.span)),
                                  TextAt(context.query, wrong->span)),
                      wrong->span,
                      IsGeneratorCall(*wrong) ? "" : "conditions on groups belong into HAVING");
  }
  const NameScope scope(input->output);
  ExprBinder binder(scope, {context.query, context.zone.get()});
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, binder.Bind(where));
  ARROW_ASSIGN_OR_RAISE(condition, RequireBoolean(std::move(condition), where.span));
  return MakeFilter(std::move(input), std::move(condition), where.span);
}

}  // namespace

arrow::Result<ExprPtr> RequireBoolean(ExprPtr condition, Span span) {
  if (condition->type->id() == arrow::Type::BOOL) return condition;
  if (condition->type->id() == arrow::Type::NA) {
    return ImplicitCast(std::move(condition), arrow::boolean());
  }
  const std::string text = QuotedSql(ExprText(*condition));
  return QueryError("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
                    fmt::format("Cannot resolve {} due to data type mismatch: Filter expression {} "
                                "of type {} is not a boolean.",
                                text, text, QuotedType(*condition->type)),
                    span);
}

arrow::Result<LogicalPlanPtr> Analyze(const sql::Query& query, const AnalyzerContext& context) {
  if (!query.with.empty()) {
    return NotSupportedYet("WITH", "WITH (common table expressions)", query.with.front().span);
  }
  if (query.values != nullptr) return NotSupportedYet("VALUES", "VALUES", query.values->span);
  if (query.operands.size() > 1) {
    return NotSupportedYet("SET_OPERATION", "a set operation (UNION, INTERSECT, EXCEPT)",
                           query.span);
  }
  if (query.select == nullptr) {
    return NotSupportedYet("NESTED_CLAUSES", "a clause behind a query in parentheses", query.span);
  }
  const sql::Select& select = *query.select;
  LogicalPlanPtr plan = MakeOneRow(select.span);
  if (select.from != nullptr) {
    ARROW_ASSIGN_OR_RAISE(plan, AnalyzeRelation(*select.from, context));
  }
  for (const sql::LateralView& view : select.lateral_views) {
    ARROW_ASSIGN_OR_RAISE(plan, AnalyzeLateralView(view, std::move(plan), context));
  }
  if (select.where) {
    ARROW_ASSIGN_OR_RAISE(plan, AnalyzeWhere(*select.where, std::move(plan), context));
  }
  return AnalyzeSelectList(query, std::move(plan), context);
}

}  // namespace tidemill::driver
