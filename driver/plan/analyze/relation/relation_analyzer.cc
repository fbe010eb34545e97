#include "driver/plan/analyze/relation/relation_analyzer.h"

#include <arrow/scalar.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <numeric>
#include <utility>

#include "common/base/ascii.h"
#include "common/expr/function_registry.h"
#include "driver/plan/analyze/event_time/watermark.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/generators.h"
#include "driver/plan/analyze/literal_binder.h"
#include "driver/plan/analyze/query_clauses.h"
#include "driver/plan/analyze/relation/join_analyzer.h"
#include "driver/plan/analyze/relation/lateral_join.h"
#include "driver/plan/analyze/relation/pivot.h"
#include "driver/plan/analyze/relation/table_function.h"
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

arrow::Result<LogicalPlanPtr> AnalyzeTable(const sql::Relation& ref, const QueryScope& scope) {
  const CommonTableScope* common = scope.common_tables;
  while (common != nullptr && !EqualsIgnoreCase(common->name, ref.name)) common = common->before;
  // A script declares a table once; read both ways it is two sources of one name.
  const connectors::SourceSpec* source = nullptr;
  for (const auto& candidate : scope.context.sources) {
    if (common != nullptr || !EqualsIgnoreCase(candidate.name, ref.name)) continue;
    if (source == nullptr || candidate.is_streaming == ref.is_stream) source = &candidate;
  }
  if (common == nullptr && source == nullptr) return TableNotFound(ref, scope.context);
  const bool is_streaming = common != nullptr ? IsStreaming(common->plan) : source->is_streaming;
  if (ref.is_stream && scope.context.is_bounded) {
    return QueryError(
        "UNSUPPORTED_STREAMING_OPERATION",
        "Queries with streaming sources must be executed with writeStream.start(), or from a "
        "streaming table or flow definition within a Spark Declarative Pipeline.",
        ref.span, "drop STREAM, or make it a job: CREATE STREAMING TABLE ... AS SELECT ...");
  }
  if (ref.is_stream && !is_streaming) {
    return QueryError(
        "SOURCE_NOT_STREAMING",
        fmt::format("STREAM needs a streaming source: source={} mode=batch", QuotedName(ref.name)),
        ref.span, "drop STREAM, or declare the source with mode: stream");
  }
  if (common != nullptr) return MakeSubqueryAlias(common->plan, common->name, ref.span);
  LogicalPlanPtr read = MakeRead(*source, ref.span);
  for (const SourceWatermark& watermark : scope.context.watermarks) {
    if (watermark.source != source->name) continue;
    ARROW_ASSIGN_OR_RAISE(read, AddWatermark(std::move(read), watermark, ref.span));
  }
  for (const SourceDuplicates& duplicates : scope.context.duplicates) {
    if (duplicates.source == source->name) {
      return DropDuplicates(std::move(read), duplicates, ref.span);
    }
  }
  return read;
}

arrow::Result<LogicalPlanPtr> AnalyzeChildJoin(const sql::Relation& relation,
                                               const QueryScope& scope) {
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr left, AnalyzeRelation(relation.children[0], scope));
  if (relation.join.is_lateral) {
    if (IsOuterGenerator(relation)) {
      return AnalyzeOuterGenerator(relation.children[1], std::move(left), scope);
    }
    return AnalyzeLateralJoin(relation, std::move(left), scope);
  }
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr right, AnalyzeRelation(relation.children[1], scope));
  return AnalyzeJoin(relation.join, left, right, relation.span, scope);
}

arrow::Result<LogicalPlanPtr> AnalyzeUnnamed(const sql::Relation& relation,
                                             const QueryScope& scope) {
  switch (relation.kind) {
    case sql::Relation::Kind::kTable:
      return AnalyzeTable(relation, scope);
    case sql::Relation::Kind::kSubquery:
      return AnalyzeIn(*relation.subquery, scope);
    case sql::Relation::Kind::kFunction:
      return AnalyzeTableFunction(relation, scope);
    case sql::Relation::Kind::kJoin:
      return AnalyzeChildJoin(relation, scope);
    case sql::Relation::Kind::kNested:
      return AnalyzeRelation(relation.children.front(), scope);
    case sql::Relation::Kind::kPivot: {
      ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr input,
                            AnalyzeRelation(relation.children.front(), scope));
      return AnalyzePivot(*relation.pivot, std::move(input), scope);
    }
    case sql::Relation::Kind::kUnpivot: {
      ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr input,
                            AnalyzeRelation(relation.children.front(), scope));
      return AnalyzeUnpivot(*relation.unpivot, std::move(input));
    }
  }
  return NotSupportedYet("RELATION", "a relation of this kind", relation.span);
}

// Some rows of a relation: the first ones, or by lot.
arrow::Result<LogicalPlanPtr> Sample(const sql::TableSample& sample, LogicalPlanPtr plan,
                                     const QueryScope& scope) {
  if (sample.rows) {
    sql::Query limited;
    limited.limit = sample.rows;
    return ApplyLimit(limited, std::move(plan), scope);
  }
  if (IsStreaming(plan)) {
    return MakeRefused(
        {std::move(plan)},
        QueryError("UNSUPPORTED_STREAMING_OPERATION",
                   "Sampling is not supported on streaming DataFrames/Datasets", sample.span),
        sample.span);
  }
  std::vector<ExprPtr> seed;
  if (sample.seed) {
    seed.push_back(LongLiteral(*sample.seed, sample.span));
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr lot, MakeCall("rand", std::move(seed), sample.span));
  ExprPtr fraction =
      MakeLiteral(std::make_shared<arrow::DoubleScalar>(sample.fraction), sample.span);
  ARROW_ASSIGN_OR_RAISE(ExprPtr is_in,
                        MakeCall("<", {std::move(lot), std::move(fraction)}, sample.span));
  return MakeFilter(std::move(plan), std::move(is_in), sample.span);
}

}  // namespace

arrow::Result<LogicalPlanPtr> AnalyzeRelation(const sql::Relation& relation,
                                              const QueryScope& scope) {
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, AnalyzeUnnamed(relation, scope));
  if (relation.sample != nullptr) {
    ARROW_ASSIGN_OR_RAISE(plan, Sample(*relation.sample, std::move(plan), scope));
  }
  if (relation.watermark != nullptr) {
    ARROW_ASSIGN_OR_RAISE(plan, AddWatermark(std::move(plan), *relation.watermark, scope.context));
  }
  // The columns of a query in FROM have no qualifier but its alias.
  const bool is_query = relation.kind == sql::Relation::Kind::kSubquery;
  if (relation.alias.empty() && !is_query) return plan;
  ARROW_ASSIGN_OR_RAISE(plan,
                        RenameColumns(std::move(plan), relation.column_aliases, relation.span));
  return MakeSubqueryAlias(std::move(plan), relation.alias, relation.span);
}

LogicalPlanPtr DropHiddenColumns(LogicalPlanPtr plan, Span span) {
  std::vector<ExprPtr> exprs;
  std::vector<PlanField> fields;
  for (int i = 0; i < static_cast<int>(plan->output.size()); ++i) {
    const PlanField& field = plan->output[i];
    if (field.is_hidden) continue;
    exprs.push_back(MakeColumn(i, field.name, field.type, span));
    fields.push_back(field);
  }
  if (exprs.size() == plan->output.size()) return plan;
  return MakeProject(std::move(plan), std::move(exprs), std::move(fields), span);
}

arrow::Result<LogicalPlanPtr> RenameColumns(LogicalPlanPtr plan,
                                            const std::vector<std::string>& names, Span span) {
  plan = DropHiddenColumns(std::move(plan), span);
  if (names.empty()) return plan;
  if (names.size() != plan->output.size()) {
    return QueryError(
        "ASSIGNMENT_ARITY_MISMATCH",
        fmt::format("The number of columns or variables assigned or aliased: {} does not match the "
                    "number of source expressions: {}.",
                    plan->output.size(), names.size()),
        span);
  }
  std::vector<PlanField> fields = plan->output;
  std::vector<ExprPtr> exprs = ColumnsOf(fields, span);
  for (size_t i = 0; i < names.size(); ++i) fields[i].name = names[i];
  return MakeProject(std::move(plan), std::move(exprs), std::move(fields), span);
}

arrow::Result<LogicalPlanPtr> AnalyzeLateralView(const sql::LateralView& view, LogicalPlanPtr input,
                                                 const QueryScope& scope) {
  if (!IsGeneratorCall(view.call)) {
    return QueryError("UNSUPPORTED_GENERATOR.NOT_GENERATOR",
                      fmt::format("The generator is not supported: {} is expected to be a "
                                  "generator.",
                                  QuotedName(view.call.name)),
                      view.call.span,
                      "generators are explode, posexplode, inline, stack and json_tuple");
  }
  const NameScope names(input->output);
  ExprBinder binder(
      names,
      {.query = scope.context.query, .zone = scope.context.zone.get(), .outer = scope.outer});
  ARROW_ASSIGN_OR_RAISE(std::vector<ExprPtr> args, binder.BindAll(view.call.args));
  std::string name = AsciiLower(view.call.name);
  const bool has_outer_form = name != "stack" && name != "json_tuple";
  if (view.is_outer && has_outer_form && !name.ends_with("_outer")) name += "_outer";
  ARROW_ASSIGN_OR_RAISE(Generator generator,
                        ResolveGenerator(name, std::move(args), view.call.span));
  ARROW_RETURN_NOT_OK(RenameGenerated(view.column_aliases, view.span, &generator));
  for (PlanField& field : generator.fields) field.qualifier = view.table_alias;
  generator.span = view.span;
  return ApplyGenerator(std::move(input), std::move(generator));
}

}  // namespace tidemill::driver
