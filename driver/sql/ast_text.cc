#include "driver/sql/ast_text.h"

#include <fmt/format.h>

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

std::string CallText(const AstExpr& expr) {
  std::string out = "(" + expr.name;
  if (expr.has_operand) out += " operand";
  if (expr.has_else) out += " else";
  if (expr.is_distinct) out += " distinct";
  for (const AstExpr& arg : expr.args) out += " " + AstText(arg);
  return out + ")";
}

std::string TableText(const TableRef& table) {
  std::string out = table.subquery ? AstText(*table.subquery) : table.name;
  if (table.is_stream) out = "(stream " + out + ")";
  if (!table.alias.empty()) out = fmt::format("(as {} {})", out, table.alias);
  return out;
}

std::string ItemText(const SelectItem& item) {
  if (!item.alias_list.empty()) {
    return fmt::format("(as {} ({}))", AstText(item.expr), fmt::join(item.alias_list, " "));
  }
  if (!item.alias.empty())
    return fmt::format("(as {} {})", AstText(item.expr), NameText({item.alias}));
  return AstText(item.expr);
}

std::string OrderText(const OrderItem& item) {
  std::string out = AstText(item.expr);
  if (item.descending) out += " desc";
  if (item.nulls_first) out += *item.nulls_first ? " nulls-first" : " nulls-last";
  return out;
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
      return expr.parts.empty() ? "*" : NameText(expr.parts) + ".*";
    case AstExpr::Kind::kCall:
      return CallText(expr);
    case AstExpr::Kind::kField:
      return fmt::format("(. {} {})", AstText(expr.args[0]), NameText({expr.name}));
    case AstExpr::Kind::kCast:
      return fmt::format("({} {} <{}>)", expr.name, AstText(expr.args[0]), expr.type_text);
  }
  return "";
}

std::string AstText(const Select& select) {
  std::string out = select.is_distinct ? "(select distinct" : "(select";
  for (const SelectItem& item : select.items) out += " " + ItemText(item);
  if (select.from) out += fmt::format(" (from {})", TableText(*select.from));
  for (const LateralView& view : select.lateral_views) {
    out += fmt::format(" (lateral{} {} {} ({}))", view.is_outer ? " outer" : "", AstText(view.call),
                       view.table_alias, fmt::join(view.column_aliases, " "));
  }
  if (select.where) out += fmt::format(" (where {})", AstText(*select.where));
  if (select.group_by_all) out += " (group all)";
  if (!select.group_by.empty()) {
    out += " (group";
    for (const AstExpr& expr : select.group_by) out += " " + AstText(expr);
    out += ")";
  }
  if (select.having) out += fmt::format(" (having {})", AstText(*select.having));
  if (!select.order_by.empty()) {
    out += " (order";
    for (const OrderItem& item : select.order_by) out += " " + OrderText(item);
    out += ")";
  }
  if (select.limit) out += fmt::format(" (limit {})", AstText(*select.limit));
  return out + ")";
}

}  // namespace tidemill::driver::sql
