#include "driver/sql/ast_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <vector>

namespace tidemill::driver::sql {

namespace {

std::string QuotedString(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      out.append(c == '\'' || c == '\\' ? 2 : 1, c);
    }
  }
  return out + "'";
}

std::string NameText(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    const bool is_plain =
        part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
        std::string::npos;
    if (!out.empty()) out += ".";
    out += is_plain ? part : "`" + part + "`";
  }
  return out;
}

std::string StarText(const AstExpr& star) {
  return star.parts.empty() ? "*" : NameText(star.parts) + ".*";
}

std::string OrderText(const OrderItem& item) {
  std::string out = AstText(item.expr);
  if (item.descending) out += " desc";
  if (item.nulls_first) out += *item.nulls_first ? " nulls-first" : " nulls-last";
  return out;
}

std::string OrderText(std::string_view head, const std::vector<OrderItem>& items) {
  if (items.empty()) return "";
  std::string out = fmt::format(" ({}", head);
  for (const OrderItem& item : items) out += " " + OrderText(item);
  return out + ")";
}

std::string ListText(std::string_view head, const std::vector<AstExpr>& exprs) {
  std::string out = fmt::format("({}", head);
  for (const AstExpr& expr : exprs) out += " " + AstText(expr);
  return out + ")";
}

std::string BoundText(const FrameBound& bound) {
  switch (bound.kind) {
    case FrameBound::Kind::kUnboundedPreceding:
      return "first";
    case FrameBound::Kind::kPreceding:
      return fmt::format("(preceding {})", AstText(*bound.offset));
    case FrameBound::Kind::kCurrentRow:
      return "current";
    case FrameBound::Kind::kFollowing:
      return fmt::format("(following {})", AstText(*bound.offset));
    case FrameBound::Kind::kUnboundedFollowing:
      return "last";
  }
  return "";
}

std::string WindowText(const WindowSpec& spec) {
  if (!spec.name.empty()) return spec.name;
  std::string out = "(window";
  if (!spec.partition_by.empty()) out += " " + ListText("partition", spec.partition_by);
  out += OrderText("order", spec.order_by);
  if (spec.frame) {
    out += fmt::format(" ({} {} {})", spec.frame->is_rows ? "rows" : "range",
                       BoundText(spec.frame->begin), BoundText(spec.frame->end));
  }
  return out + ")";
}

std::string ClausesText(const CallClauses& clauses) {
  std::string out = OrderText("within", clauses.within_group);
  if (clauses.filter) out += fmt::format(" (filter {})", AstText(*clauses.filter));
  if (clauses.ignore_nulls) out += *clauses.ignore_nulls ? " ignore-nulls" : " respect-nulls";
  if (clauses.over) out += fmt::format(" (over {})", WindowText(*clauses.over));
  return out;
}

std::string CallText(const AstExpr& expr) {
  std::string out = "(" + (expr.is_tuple ? "row" : expr.name);
  if (expr.has_operand) out += " operand";
  if (expr.has_else) out += " else";
  if (expr.is_distinct) out += " distinct";
  for (size_t i = 0; i < expr.args.size(); ++i) {
    const bool has_alias = i < expr.parts.size() && !expr.parts[i].empty();
    const std::string arg = AstText(expr.args[i]);
    out += has_alias ? fmt::format(" (as {} {})", arg, NameText({expr.parts[i]})) : " " + arg;
  }
  if (expr.clauses != nullptr) out += ClausesText(*expr.clauses);
  return out + ")";
}

std::string ItemText(const SelectItem& item) {
  if (!item.alias_list.empty()) {
    return fmt::format("(as {} ({}))", AstText(item.expr), fmt::join(item.alias_list, " "));
  }
  if (!item.alias.empty())
    return fmt::format("(as {} {})", AstText(item.expr), NameText({item.alias}));
  return AstText(item.expr);
}

std::string AliasText(std::string out, const std::string& alias,
                      const std::vector<std::string>& columns) {
  if (alias.empty()) return out;
  if (columns.empty()) return fmt::format("(as {} {})", out, alias);
  return fmt::format("(as {} {} ({}))", out, alias, fmt::join(columns, " "));
}

std::string_view JoinName(JoinType type) {
  switch (type) {
    case JoinType::kInner:
      return "inner";
    case JoinType::kCross:
      return "cross";
    case JoinType::kLeft:
      return "left";
    case JoinType::kRight:
      return "right";
    case JoinType::kFull:
      return "full";
    case JoinType::kLeftSemi:
      return "semi";
    case JoinType::kLeftAnti:
      return "anti";
  }
  return "";
}

std::string RelationText(const Relation& relation);

std::string JoinText(const Relation& relation) {
  const JoinClause& join = relation.join;
  std::string out =
      fmt::format("({}join {}{}{} {}", join.is_natural ? "natural-" : "", JoinName(join.type),
                  join.is_lateral ? " lateral " : " ", RelationText(relation.children[0]),
                  RelationText(relation.children[1]));
  if (join.on) out += fmt::format(" (on {})", AstText(*join.on));
  if (!join.using_columns.empty()) {
    out += fmt::format(" (using {})", fmt::join(join.using_columns, " "));
  }
  return out + ")";
}

std::string PivotText(const Relation& relation) {
  const Pivot& pivot = *relation.pivot;
  std::string out = fmt::format("(pivot {} (", RelationText(relation.children[0]));
  for (const SelectItem& item : pivot.aggregates) out += ItemText(item) + " ";
  out.back() = ')';
  out += " " + ListText("for", pivot.columns) + " (in";
  for (const SelectItem& item : pivot.values) out += " " + ItemText(item);
  return out + "))";
}

std::string UnpivotText(const Relation& relation) {
  const Unpivot& unpivot = *relation.unpivot;
  std::string out =
      fmt::format("(unpivot{} {} ({}) {}", unpivot.includes_nulls ? " nulls" : "",
                  RelationText(relation.children[0]), fmt::join(unpivot.values, " "), unpivot.name);
  for (const Unpivot::Columns& columns : unpivot.columns) {
    out += " " + AliasText(ListText("of", columns.names), columns.alias, {});
  }
  return out + ")";
}

std::string SampleText(std::string out, const TableSample& sample) {
  out = fmt::format("(sample {} {}", out,
                    sample.rows ? AstText(*sample.rows) : fmt::format("{}", sample.fraction));
  if (sample.seed) out += fmt::format(" seed {}", *sample.seed);
  return out + ")";
}

std::string RelationText(const Relation& relation) {
  std::string out = relation.name;
  switch (relation.kind) {
    case Relation::Kind::kTable:
      break;
    case Relation::Kind::kSubquery:
      out = AstText(*relation.subquery);
      break;
    case Relation::Kind::kFunction:
      out = ListText(relation.name, relation.args);
      break;
    case Relation::Kind::kJoin:
      out = JoinText(relation);
      break;
    case Relation::Kind::kNested:
      out = RelationText(relation.children[0]);
      break;
    case Relation::Kind::kPivot:
      out = PivotText(relation);
      break;
    case Relation::Kind::kUnpivot:
      out = UnpivotText(relation);
      break;
  }
  if (relation.sample != nullptr) out = SampleText(std::move(out), *relation.sample);
  if (relation.is_stream) out = "(stream " + out + ")";
  if (relation.watermark != nullptr) {
    out = fmt::format("(watermark {} {} {})", out, ItemText(relation.watermark->column),
                      AstText(relation.watermark->delay));
  }
  return AliasText(std::move(out), relation.alias, relation.column_aliases);
}

std::string GroupingText(const GroupingElement& element, bool is_nested) {
  std::string out;
  switch (element.kind) {
    case GroupingElement::Kind::kSet:
      return is_nested ? ListText("set", element.exprs) : AstText(element.exprs[0]);
    case GroupingElement::Kind::kRollup:
      out = "(rollup";
      break;
    case GroupingElement::Kind::kCube:
      out = "(cube";
      break;
    case GroupingElement::Kind::kGroupingSets:
      out = "(sets";
      if (!element.exprs.empty()) out += " " + ListText("of", element.exprs);
      break;
  }
  for (const GroupingElement& part : element.elements) {
    out += " " + GroupingText(part, /*is_nested=*/true);
  }
  return out + ")";
}

std::string_view SetOperatorName(SetOperator op) {
  switch (op) {
    case SetOperator::kUnion:
      return "union";
    case SetOperator::kIntersect:
      return "intersect";
    case SetOperator::kExcept:
      return "except";
  }
  return "";
}

std::string BodyText(const Query& query) {
  if (query.select != nullptr) return AstText(*query.select);
  if (query.values != nullptr) {
    std::string out = "(values";
    for (const auto& row : query.values->rows) out += " " + ListText("row", row);
    return AliasText(out + ")", query.values->alias, query.values->column_aliases);
  }
  if (query.operands.size() == 1) return AstText(query.operands[0]);
  std::string out =
      fmt::format("({}{}", SetOperatorName(query.set_operator), query.is_all ? "-all" : "");
  for (const Query& operand : query.operands) out += " " + AstText(operand);
  return out + ")";
}

}  // namespace

std::string AstText(const AstExpr& expr) {
  switch (expr.kind) {
    case AstExpr::Kind::kNull:
      return "null";
    case AstExpr::Kind::kBool:
      return expr.text;
    case AstExpr::Kind::kInteger:
    case AstExpr::Kind::kDecimal:
      return expr.text + expr.literal_type;
    case AstExpr::Kind::kDouble:
      return expr.text + (expr.literal_type.empty() ? "D" : expr.literal_type);
    case AstExpr::Kind::kString:
      return QuotedString(expr.text);
    case AstExpr::Kind::kTypedLiteral:
      return expr.name + QuotedString(expr.text);
    case AstExpr::Kind::kInterval:
      return "interval<" + expr.text + ">";
    case AstExpr::Kind::kName:
      return NameText(expr.parts);
    case AstExpr::Kind::kStar:
      if (!expr.args.empty()) return StarText(expr) + " " + ListText("except", expr.args);
      return StarText(expr);
    case AstExpr::Kind::kCall:
      return CallText(expr);
    case AstExpr::Kind::kField:
      return fmt::format("(. {} {})", AstText(expr.args[0]), NameText({expr.name}));
    case AstExpr::Kind::kCast:
      return fmt::format("({} {} <{}>)", expr.name, AstText(expr.args[0]), expr.type_text);
    case AstExpr::Kind::kLambda:
      return fmt::format("(-> ({}) {})", fmt::join(expr.parts, " "), AstText(expr.args[0]));
    case AstExpr::Kind::kNamedArgument:
      return fmt::format("(=> {} {})", expr.name, AstText(expr.args[0]));
    case AstExpr::Kind::kParameter:
      return expr.name.empty() ? "?" + expr.text : ":" + expr.name;
    case AstExpr::Kind::kSubquery:
      return fmt::format("(query {})", AstText(*expr.query));
    case AstExpr::Kind::kExists:
      return fmt::format("(exists {})", AstText(*expr.query));
    case AstExpr::Kind::kInSubquery:
      return fmt::format("(in {} {})", ListText("of", expr.args), AstText(*expr.query));
  }
  return "";
}

std::string AstText(const Select& select) {
  std::string out = select.is_distinct ? "(select distinct" : "(select";
  for (const Hint& hint : select.hints) out += " " + ListText("hint " + hint.name, hint.args);
  for (const SelectItem& item : select.items) out += " " + ItemText(item);
  if (select.from) out += fmt::format(" (from {})", RelationText(*select.from));
  for (const LateralView& view : select.lateral_views) {
    out += fmt::format(" (lateral{} {} {} ({}))", view.is_outer ? " outer" : "", AstText(view.call),
                       view.table_alias, fmt::join(view.column_aliases, " "));
  }
  if (select.where) out += fmt::format(" (where {})", AstText(*select.where));
  if (select.group_by_all) out += " (group all)";
  if (!select.group_by.empty()) {
    out += " (group";
    for (const GroupingElement& element : select.group_by) {
      out += " " + GroupingText(element, /*is_nested=*/false);
    }
    out += ")";
  }
  if (select.having) out += fmt::format(" (having {})", AstText(*select.having));
  for (const NamedWindow& window : select.windows) {
    out += fmt::format(" (window {} {})", window.name, WindowText(window.spec));
  }
  if (select.qualify) out += fmt::format(" (qualify {})", AstText(*select.qualify));
  return out + ")";
}

std::string AstText(const Query& query) {
  std::string out = BodyText(query);
  std::string clauses = OrderText("order", query.order_by);
  if (query.order_by_all) {
    OrderItem all = query.all_order;
    all.expr.kind = AstExpr::Kind::kStar;
    clauses = OrderText("order", {all});
  }
  if (!query.distribute_by.empty()) clauses += " " + ListText("distribute", query.distribute_by);
  if (query.limit) clauses += fmt::format(" (limit {})", AstText(*query.limit));
  if (query.offset) clauses += fmt::format(" (offset {})", AstText(*query.offset));
  if (!clauses.empty()) {
    // The clauses of a plain SELECT are shown inside its parentheses.
    if (query.select != nullptr) {
      out = out.substr(0, out.size() - 1) + clauses + ")";
    } else {
      out = "(" + out + clauses + ")";
    }
  }
  if (query.with.empty()) return out;
  std::string with = "(with";
  for (const CommonTable& table : query.with) {
    with += " " + AliasText(AstText(*table.query), table.name, table.column_aliases);
  }
  return with + " " + out + ")";
}

}  // namespace tidemill::driver::sql
