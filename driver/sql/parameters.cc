#include "driver/sql/parameters.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "driver/sql/parser.h"

namespace tidemill::driver::sql {

namespace {

class ParameterBinder {
 public:
  explicit ParameterBinder(const std::map<std::string, std::string>& values) : values_(values) {}

  arrow::Status Run(Query* query) {
    ARROW_RETURN_NOT_OK(Visit(query));
    for (const auto& [name, value] : values_) {
      if (used_.count(name) != 0) continue;
      return MakeError(ErrorKind::kInvalid, "UNUSED_SQL_PARAMETER",
                       fmt::format("a parameter that the query does not use: {}", name),
                       query->span, fmt::format("its marker would be :{}", name));
    }
    return arrow::Status::OK();
  }

 private:
  arrow::Status Visit(Query* query) {
    for (CommonTable& table : query->with) ARROW_RETURN_NOT_OK(Visit(table.query.get()));
    if (query->select != nullptr) ARROW_RETURN_NOT_OK(Visit(query->select.get()));
    if (query->values != nullptr) {
      for (auto& row : query->values->rows) ARROW_RETURN_NOT_OK(VisitAll(&row));
    }
    for (Query& operand : query->operands) ARROW_RETURN_NOT_OK(Visit(&operand));
    ARROW_RETURN_NOT_OK(VisitOrder(&query->order_by));
    ARROW_RETURN_NOT_OK(VisitAll(&query->distribute_by));
    ARROW_RETURN_NOT_OK(Visit(&query->limit));
    return Visit(&query->offset);
  }

  arrow::Status Visit(Select* select) {
    for (SelectItem& item : select->items) ARROW_RETURN_NOT_OK(Visit(&item.expr));
    if (select->from != nullptr) ARROW_RETURN_NOT_OK(Visit(select->from.get()));
    for (LateralView& view : select->lateral_views) ARROW_RETURN_NOT_OK(Visit(&view.call));
    ARROW_RETURN_NOT_OK(Visit(&select->where));
    for (GroupingElement& element : select->group_by) ARROW_RETURN_NOT_OK(Visit(&element));
    ARROW_RETURN_NOT_OK(Visit(&select->having));
    for (NamedWindow& window : select->windows) ARROW_RETURN_NOT_OK(Visit(&window.spec));
    return Visit(&select->qualify);
  }

  arrow::Status Visit(Relation* relation) {
    if (relation->subquery != nullptr) ARROW_RETURN_NOT_OK(Visit(relation->subquery.get()));
    ARROW_RETURN_NOT_OK(VisitAll(&relation->args));
    for (Relation& child : relation->children) ARROW_RETURN_NOT_OK(Visit(&child));
    ARROW_RETURN_NOT_OK(Visit(&relation->join.on));
    if (relation->sample != nullptr) ARROW_RETURN_NOT_OK(Visit(&relation->sample->rows));
    if (relation->pivot != nullptr) {
      for (SelectItem& item : relation->pivot->aggregates) {
        ARROW_RETURN_NOT_OK(Visit(&item.expr));
      }
      for (SelectItem& item : relation->pivot->values) ARROW_RETURN_NOT_OK(Visit(&item.expr));
    }
    if (relation->watermark == nullptr) return arrow::Status::OK();
    return Visit(&relation->watermark->column.expr);
  }

  arrow::Status Visit(GroupingElement* element) {
    ARROW_RETURN_NOT_OK(VisitAll(&element->exprs));
    for (GroupingElement& part : element->elements) ARROW_RETURN_NOT_OK(Visit(&part));
    return arrow::Status::OK();
  }

  arrow::Status Visit(WindowSpec* spec) {
    ARROW_RETURN_NOT_OK(VisitAll(&spec->partition_by));
    return VisitOrder(&spec->order_by);
  }

  arrow::Status Visit(AstExpr* expr) {
    if (expr->kind == AstExpr::Kind::kParameter) return Replace(expr);
    ARROW_RETURN_NOT_OK(VisitAll(&expr->args));
    if (expr->query != nullptr) ARROW_RETURN_NOT_OK(Visit(expr->query.get()));
    if (expr->clauses == nullptr) return arrow::Status::OK();
    auto clauses = std::make_shared<CallClauses>(*expr->clauses);
    ARROW_RETURN_NOT_OK(VisitOrder(&clauses->within_group));
    ARROW_RETURN_NOT_OK(Visit(&clauses->filter));
    if (clauses->over) ARROW_RETURN_NOT_OK(Visit(&*clauses->over));
    expr->clauses = std::move(clauses);
    return arrow::Status::OK();
  }

  arrow::Status Visit(std::optional<AstExpr>* expr) {
    return *expr ? Visit(&**expr) : arrow::Status::OK();
  }
  arrow::Status VisitAll(std::vector<AstExpr>* exprs) {
    for (AstExpr& expr : *exprs) ARROW_RETURN_NOT_OK(Visit(&expr));
    return arrow::Status::OK();
  }
  arrow::Status VisitOrder(std::vector<OrderItem>* items) {
    for (OrderItem& item : *items) ARROW_RETURN_NOT_OK(Visit(&item.expr));
    return arrow::Status::OK();
  }

  arrow::Status Replace(AstExpr* marker) {
    const Span span = marker->span;
    const auto found = values_.find(marker->name);
    if (marker->name.empty() || found == values_.end()) {
      return MakeError(
          ErrorKind::kInvalid, "UNBOUND_SQL_PARAMETER",
          fmt::format("Found the unbound parameter: {}. Please, fix `args` and provide a mapping "
                      "of the parameter to either a SQL literal or collection constructor "
                      "functions such as `map()`, `array()`, `struct()`.",
                      marker->name.empty() ? "?" : marker->name),
          span, "parameters stand in the specification: parameters: {name: value}");
    }
    used_.insert(marker->name);
    auto value = ParseExpression(found->second);
    if (!value.ok()) {
      return WithContext(MakeError(KindOf(value.status()), ErrorClassOf(value.status()),
                                   value.status().message(), span),
                         "value of parameter " + found->first);
    }
    Place(span, &*value);
    *marker = *std::move(value);
    return arrow::Status::OK();
  }

  static void Place(Span span, AstExpr* expr) {
    expr->span = span;
    expr->type_span = span;
    for (AstExpr& arg : expr->args) Place(span, &arg);
  }

  const std::map<std::string, std::string>& values_;
  std::set<std::string> used_;
};

}  // namespace

arrow::Status BindParameters(const std::map<std::string, std::string>& values, Query* query) {
  return ParameterBinder(values).Run(query);
}

}  // namespace tidemill::driver::sql
