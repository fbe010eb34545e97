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

struct CallClauses;
struct Query;

// Trees are never higher and subqueries never deeper than this, so recursion over them is safe. A
// subquery counts with the height of what it holds.
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
    kStar,          // * or t.*: qualifier in `parts`; args: the names (kName) of EXCEPT (...)
    kCall,    // `name`(`args`): functions, and operators by symbol ("+", "and", "not", "like",
              // "in", "between", "isnull", "isnotnull", "case", "[]", "negative", "||", ...).
              // case: [operand,] (when, then)*, [else] described by `has_operand`, `has_else`.
              // not like / not in / not between are "not" around the positive form.
    kField,   // args[0] . `name`, where args[0] is not a plain name
    kCast,    // args[0] to `type_text`; `name` is "cast" or "try_cast"
    kLambda,  // parameters -> args[0]; the parameters' names in `parts`
    kNamedArgument,  // `name` => args[0]
    kParameter,      // :name, or ? with `name` "": the marker's number from 0 in `text`
    kSubquery,       // (`query`) as a value
    kExists,         // EXISTS (`query`)
    kInSubquery,     // (`args`) IN (`query`): as many columns as args
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
  // Shared so that expressions can be copied; nobody changes them after parsing.
  std::shared_ptr<const CallClauses> clauses;  // of kCall: what stands behind f(...), or null
  std::shared_ptr<Query> query;
};

struct OrderItem {
  AstExpr expr;
  bool descending = false;
  std::optional<bool> nulls_first;
};

struct FrameBound {
  enum class Kind {
    kUnboundedPreceding,
    kPreceding,
    kCurrentRow,
    kFollowing,
    kUnboundedFollowing,
  };
  Kind kind = Kind::kUnboundedPreceding;
  std::optional<AstExpr> offset;  // of kPreceding and kFollowing
  Span span;
};

struct WindowFrame {
  Span span;
  bool is_rows = false;  // ROWS, else RANGE
  FrameBound begin;
  FrameBound end;  // CURRENT ROW where none is written
};

// (PARTITION BY ... ORDER BY ... frame), or the name of a window that the WINDOW clause defines.
struct WindowSpec {
  Span span;
  std::string name;  // "" for a window that is written out
  std::vector<AstExpr> partition_by;
  std::vector<OrderItem> order_by;
  std::optional<WindowFrame> frame;
};

// f(...) [WITHIN GROUP (ORDER BY ...)] [FILTER (WHERE ...)] [IGNORE | RESPECT NULLS] [OVER ...]
struct CallClauses {
  std::vector<OrderItem> within_group;
  std::optional<AstExpr> filter;
  std::optional<bool> ignore_nulls;
  std::optional<WindowSpec> over;
};

struct SelectItem {
  AstExpr expr;
  std::string alias;                    // "" for none
  std::vector<std::string> alias_list;  // AS (a, b) of a generator
};

enum class JoinType { kInner, kCross, kLeft, kRight, kFull, kLeftSemi, kLeftAnti };

// What stands between and behind the two sides of a join.
struct JoinClause {
  JoinType type = JoinType::kInner;
  bool is_natural = false;
  bool is_lateral = false;  // LATERAL before the right side
  std::optional<AstExpr> on;
  std::vector<std::string> using_columns;
};

// WATERMARK column [AS alias] DELAY OF INTERVAL ...
struct Watermark {
  Span span;
  SelectItem column;
  AstExpr delay;  // kInterval
};

// One thing in FROM.
struct Relation {
  enum class Kind {
    kTable,     // `name`
    kSubquery,  // `subquery`; VALUES too
    kFunction,  // `name`(`args`)
    kJoin,      // children[0] `join` children[1]
    kNested,    // (children[0]), where an alias or a watermark follows the parentheses
  };
  Kind kind = Kind::kTable;
  int32_t height = 1;  // levels of everything in it; at most kMaxNesting
  Span span;
  std::string name;
  bool is_stream = false;  // STREAM t
  std::unique_ptr<Query> subquery;
  std::vector<AstExpr> args;
  JoinClause join;
  std::vector<Relation> children;
  std::unique_ptr<Watermark> watermark;
  std::string alias;                        // "" for none
  std::vector<std::string> column_aliases;  // behind the alias: t(a, b)
};

// LATERAL VIEW [OUTER] f(args) t AS a, b
struct LateralView {
  Span span;
  AstExpr call;
  bool is_outer = false;
  std::string table_alias;
  std::vector<std::string> column_aliases;
};

// One element of GROUP BY.
struct GroupingElement {
  enum class Kind {
    kSet,           // `exprs`: one expression, or inside ROLLUP and the like several or none
    kRollup,        // of `elements`, which are kSet
    kCube,          // of `elements`, which are kSet
    kGroupingSets,  // the union of `elements`; `exprs` are those before GROUPING SETS, maybe none
  };
  Kind kind = Kind::kSet;
  Span span;
  std::vector<AstExpr> exprs;
  std::vector<GroupingElement> elements;
};

struct NamedWindow {
  std::string name;
  WindowSpec spec;
};

struct Select {
  Span span;
  bool is_distinct = false;
  std::vector<SelectItem> items;
  std::unique_ptr<Relation> from;  // null: one row without columns
  std::vector<LateralView> lateral_views;
  std::optional<AstExpr> where;
  std::vector<GroupingElement> group_by;
  bool group_by_all = false;
  std::optional<AstExpr> having;
  std::vector<NamedWindow> windows;
  std::optional<AstExpr> qualify;
};

// VALUES (1, 'a'), (2, 'b') [AS t(a, b)]
struct InlineTable {
  Span span;
  std::vector<std::vector<AstExpr>> rows;
  std::string alias;  // "" for none
  std::vector<std::string> column_aliases;
};

enum class SetOperator { kUnion, kIntersect, kExcept };

// name [(columns)] AS (query)
struct CommonTable {
  Span span;  // of the name
  std::string name;
  std::vector<std::string> column_aliases;
  std::unique_ptr<Query> query;
};

// A whole query. Its body is `select`, or `values`, or the operands of a set operation, or one
// operand: a query in parentheses to which the clauses behind them are applied.
struct Query {
  Span span;
  int32_t height = 1;  // levels of everything in it; at most kMaxNesting
  std::vector<CommonTable> with;
  std::unique_ptr<Select> select;
  std::unique_ptr<InlineTable> values;
  std::vector<Query> operands;  // from left to right: ((a EXCEPT b) EXCEPT c)
  SetOperator set_operator = SetOperator::kUnion;
  bool is_all = false;  // UNION ALL, ...
  std::vector<OrderItem> order_by;
  bool order_by_all = false;
  OrderItem all_order;  // direction and nulls of ORDER BY ALL; `expr` is its place
  std::optional<AstExpr> limit;
  std::optional<AstExpr> offset;
};

}  // namespace tidemill::driver::sql
