#include "driver/plan/analyze/lateral_aliases.h"

#include <fmt/format.h>

#include <algorithm>

#include "driver/plan/logical/plan_error.h"

namespace tidemill::driver {

namespace {

void CollectAliases(const Expr& expr, std::vector<int>* items) {
  if (expr.kind == Expr::Kind::kColumn && expr.column >= kAliasColumns) {
    items->push_back(expr.column - kAliasColumns);
  }
  for (const ExprPtr& arg : expr.args) CollectAliases(*arg, items);
}

}  // namespace

const Expr* FindAliasIn(const std::vector<ExprPtr>& exprs) {
  for (const ExprPtr& expr : exprs) {
    if (expr->kind == Expr::Kind::kColumn && expr->column >= kAliasColumns) return expr.get();
    if (const Expr* found = FindAliasIn(expr->args)) return found;
  }
  return nullptr;
}

arrow::Status AliasNotAllowed(const Expr& alias, std::string_view sub_class, std::string_view where,
                              std::string_view text) {
  // The stand-in is called lateralAliasReference(name).
  const std::string_view shown = alias.name;
  const size_t begin = shown.find('(') + 1;
  return QueryError(
      fmt::format("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_{}", sub_class),
      fmt::format("The feature is not supported: Referencing a lateral column alias {} in {} {}.",
                  QuotedName(shown.substr(begin, shown.size() - begin - 1)), where,
                  QuotedSql(text)),
      alias.span, "write the expression itself, or select the alias in a subquery in FROM");
}

std::vector<int> AliasesIn(const Expr& expr) {
  std::vector<int> items;
  CollectAliases(expr, &items);
  return items;
}

std::vector<std::vector<int>> AliasLayers(const std::vector<ExprPtr>& items) {
  std::vector<size_t> levels(items.size());
  std::vector<bool> is_named(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    for (const int item : AliasesIn(*items[i])) {
      is_named[item] = true;
      levels[i] = std::max(levels[i], levels[item] + 1);
    }
  }
  std::vector<std::vector<int>> layers;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!is_named[i]) continue;
    layers.resize(std::max(layers.size(), levels[i] + 1));
    layers[levels[i]].push_back(static_cast<int>(i));
  }
  return layers;
}

}  // namespace tidemill::driver
