#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "driver/sql/ast_expr.h"

namespace tidemill::driver::sql {

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

// TABLESAMPLE (n PERCENT), (BUCKET x OUT OF y) or (n ROWS)
struct TableSample {
  Span span;
  double fraction = 0;          // of the rows, from 0 to 1
  std::optional<AstExpr> rows;  // instead: how many
  std::optional<int64_t> seed;  // REPEATABLE (seed)
};

// PIVOT (aggregates FOR columns IN (values))
struct Pivot {
  Span span;
  std::vector<SelectItem> aggregates;
  std::vector<AstExpr> columns;  // kName of one part
  std::vector<SelectItem> values;
};

// UNPIVOT [INCLUDE NULLS] (values FOR name IN (columns))
struct Unpivot {
  struct Columns {
    std::vector<AstExpr> names;  // kName, as many as values
    std::string alias;           // "" for none
  };
  Span span;
  bool includes_nulls = false;
  std::vector<std::string> values;
  std::string name;
  std::vector<Columns> columns;
};

// One thing in FROM.
struct Relation {
  enum class Kind {
    kTable,     // `name`
    kSubquery,  // `subquery`; VALUES too
    kFunction,  // `name`(`args`)
    kJoin,      // children[0] `join` children[1]
    kNested,    // (children[0]), where an alias or a watermark follows the parentheses
    kPivot,     // children[0] `pivot`
    kUnpivot,   // children[0] `unpivot`
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
  std::unique_ptr<Pivot> pivot;
  std::unique_ptr<Unpivot> unpivot;
  std::unique_ptr<TableSample> sample;
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

// One of /*+ name(args), ... */
struct Hint {
  Span span;
  std::string name;           // as written
  std::vector<AstExpr> args;  // names and literals
};

struct Select {
  Span span;
  std::vector<Hint> hints;
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
  // Of SORT BY and CLUSTER BY too: an order of all rows is one of the rows of each partition.
  std::vector<OrderItem> order_by;
  std::vector<AstExpr> distribute_by;  // and CLUSTER BY
  bool order_by_all = false;
  OrderItem all_order;  // direction and nulls of ORDER BY ALL; `expr` is its place
  std::optional<AstExpr> limit;
  std::optional<AstExpr> offset;
};

}  // namespace tidemill::driver::sql
