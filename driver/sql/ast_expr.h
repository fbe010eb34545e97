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
              // "in", "between", "isnull", "isnotnull", "case", "[]", "||", "not like all", ...).
              // case: [operand,] (when, then)*, [else] described by `has_operand`, `has_else`.
              // not like / not in / not between are "not" around the positive form.
              // struct: the aliases of its arguments in `parts`, none where there is no alias.
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
  bool is_tuple = false;     // (a, b), a call of struct
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

}  // namespace tidemill::driver::sql
