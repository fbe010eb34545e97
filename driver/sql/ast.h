#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"

namespace tidemill::driver::sql {

// What the parser understood, with names unresolved and spans into the query's text. Keywords,
// function names and operators are lower case; identifiers keep their spelling. *Plain data.*

struct Select;

// Trees are never higher and subqueries never deeper than this, so recursion over them is safe.
inline constexpr int kMaxNesting = 200;

struct AstExpr {
  enum class Kind {
    kNull,
    kBool,
    kInteger,
    kDecimal,
    kDouble,
    kString,        // literals: `text` is the value (string unescaped;
                    // integer may carry a type suffix in `literal_type`)
    kTypedLiteral,  // DATE '...', TIMESTAMP '...', X'...': keyword in `name`, value in `text`
    kInterval,      // INTERVAL ...: `text` as written after the keyword
    kName,          // a.b.c: `parts`
    kStar,          // * or t.*: qualifier in `parts`
    kCall,   // `name`(`args`): functions, and operators by symbol ("+", "and", "not", "like",
             // "in", "between", "isnull", "isnotnull", "case", "[]", "negative", "||", ...).
             // case: [operand,] (when, then)*, [else] described by `has_operand`, `has_else`.
             // not like / not in / not between are "not" around the positive form.
    kField,  // args[0] . `name`, where args[0] is not a plain name
    kCast,   // args[0] to `type_text`; `name` is "cast" or "try_cast"
  };

  Kind kind = Kind::kNull;
  int32_t height = 1;  // levels of the tree, 1 for a leaf; at most kMaxNesting
  Span span;           // with the parentheses around it
  std::string name;
  std::string text;
  std::string literal_type;  // of kInteger/kDecimal/kDouble suffixes: "L", "S", "Y", "BD", "D", "F"
  std::string type_text;     // DDL of the cast's type
  Span type_span;
  std::vector<std::string> parts;
  std::vector<AstExpr> args;
  bool is_distinct = false;  // count(DISTINCT x)
  bool has_operand = false;
  bool has_else = false;
};

struct SelectItem {
  AstExpr expr;
  std::string alias;                    // "" for none
  std::vector<std::string> alias_list;  // AS (a, b) of a generator
};

struct TableRef {
  Span span;
  std::string name;  // table, or "" for a subquery
  std::unique_ptr<Select> subquery;
  std::string alias;       // "" for none
  bool is_stream = false;  // STREAM t
};

struct OrderItem {
  AstExpr expr;
  bool descending = false;
  std::optional<bool> nulls_first;
};

// LATERAL VIEW [OUTER] f(args) t AS a, b
struct LateralView {
  Span span;
  AstExpr call;
  bool is_outer = false;
  std::string table_alias;
  std::vector<std::string> column_aliases;
};

struct Select {
  Span span;
  bool is_distinct = false;
  std::vector<SelectItem> items;
  std::unique_ptr<TableRef> from;  // null: one row without columns
  std::vector<LateralView> lateral_views;
  std::optional<AstExpr> where;
  std::vector<AstExpr> group_by;
  bool group_by_all = false;
  std::optional<AstExpr> having;
  std::vector<OrderItem> order_by;
  std::optional<AstExpr> limit;
};

}  // namespace tidemill::driver::sql
