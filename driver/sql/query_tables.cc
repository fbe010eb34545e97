#include "driver/sql/query_tables.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "driver/sql/token_cursor.h"

namespace tidemill::driver::sql {

namespace {

constexpr std::array<std::string_view, 12> kHints = {"BROADCAST",
                                                     "BROADCASTJOIN",
                                                     "MAPJOIN",
                                                     "MERGE",
                                                     "MERGEJOIN",
                                                     "SHUFFLE_MERGE",
                                                     "SHUFFLE_HASH",
                                                     "SHUFFLE_REPLICATE_NL",
                                                     "COALESCE",
                                                     "REPARTITION",
                                                     "REPARTITION_BY_RANGE",
                                                     "REBALANCE"};

class TableCollector {
 public:
  explicit TableCollector(const Query& query) { Visit(query); }

  const std::vector<NamedTable>& tables() const { return tables_; }
  const std::vector<Hint>& hints() const { return hints_; }

 private:
  // A query of WITH sees those before it, and the body sees all.
  void Visit(const Query& query) {
    const size_t visible = common_.size();
    for (const CommonTable& table : query.with) {
      Visit(*table.query);
      common_.push_back(table.name);
    }
    if (query.select != nullptr) Visit(*query.select);
    if (query.values != nullptr) {
      for (const auto& row : query.values->rows) VisitAll(row);
    }
    for (const Query& operand : query.operands) Visit(operand);
    VisitOrder(query.order_by);
    VisitAll(query.distribute_by);
    Visit(query.limit);
    Visit(query.offset);
    common_.resize(visible);
  }

  void Visit(const Select& select) {
    hints_.insert(hints_.end(), select.hints.begin(), select.hints.end());
    if (select.from != nullptr) Visit(*select.from);
    for (const LateralView& view : select.lateral_views) Visit(view.call);
    for (const SelectItem& item : select.items) Visit(item.expr);
    Visit(select.where);
    for (const GroupingElement& element : select.group_by) Visit(element);
    Visit(select.having);
    for (const NamedWindow& window : select.windows) Visit(window.spec);
    Visit(select.qualify);
  }

  void Visit(const Relation& relation) {
    if (relation.kind == Relation::Kind::kTable) AddTable(relation);
    if (relation.subquery != nullptr) Visit(*relation.subquery);
    VisitAll(relation.args);
    for (const Relation& child : relation.children) Visit(child);
    Visit(relation.join.on);
    if (relation.pivot != nullptr) {
      for (const SelectItem& item : relation.pivot->aggregates) Visit(item.expr);
    }
    if (relation.watermark != nullptr) Visit(relation.watermark->column.expr);
  }

  void Visit(const GroupingElement& element) {
    VisitAll(element.exprs);
    for (const GroupingElement& part : element.elements) Visit(part);
  }

  void Visit(const WindowSpec& spec) {
    VisitAll(spec.partition_by);
    VisitOrder(spec.order_by);
  }

  void Visit(const AstExpr& expr) {
    VisitAll(expr.args);
    if (expr.query != nullptr) Visit(*expr.query);
    if (expr.clauses == nullptr) return;
    VisitOrder(expr.clauses->within_group);
    Visit(expr.clauses->filter);
    if (expr.clauses->over) Visit(*expr.clauses->over);
  }

  void Visit(const std::optional<AstExpr>& expr) {
    if (expr) Visit(*expr);
  }
  void VisitAll(const std::vector<AstExpr>& exprs) {
    for (const AstExpr& expr : exprs) Visit(expr);
  }
  void VisitOrder(const std::vector<OrderItem>& items) {
    for (const OrderItem& item : items) Visit(item.expr);
  }

  void AddTable(const Relation& relation) {
    const auto is_common = [&](const std::string& name) {
      return EqualsIgnoreCase(name, relation.name);
    };
    if (std::any_of(common_.begin(), common_.end(), is_common)) return;
    const auto is_same = [&](const NamedTable& table) {
      return table.name == relation.name && table.is_stream == relation.is_stream;
    };
    if (std::any_of(tables_.begin(), tables_.end(), is_same)) return;
    tables_.push_back({relation.name, relation.span, relation.is_stream});
  }

  std::vector<NamedTable> tables_;
  std::vector<Hint> hints_;
  std::vector<std::string> common_;  // names of WITH that are visible here
};

}  // namespace

std::vector<NamedTable> TablesOf(const Query& query) { return TableCollector(query).tables(); }

std::vector<std::string> UnknownHintsOf(const Query& query) {
  const TableCollector collector(query);
  std::vector<std::string> unknown;
  for (const Hint& hint : collector.hints()) {
    const bool is_known = std::any_of(kHints.begin(), kHints.end(), [&](std::string_view name) {
      return EqualsIgnoreCase(name, hint.name);
    });
    if (!is_known) unknown.push_back(hint.name);
  }
  return unknown;
}

}  // namespace tidemill::driver::sql
