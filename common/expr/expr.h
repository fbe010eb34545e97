#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "common/base/error.h"

namespace tidemill {

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

// A typed scalar expression over the columns of one input schema; a tree without names to resolve.
// Made by ExprBuilder functions (function_registry.h), which insert the casts that Spark's type
// coercion asks for. *Immutable.*
struct Expr {
  enum class Kind {
    kLiteral,  // `literal`; `name` for display where coercion changed it, else empty
    kColumn,   // column `column` of the input; `name` for display
    kCall,     // function `name` over `args`; special forms too: "and", "or", "case" (condition,
               // value,
    // ..., else), "coalesce", "if", "cast" and "try_cast" (to `type`), "get_field" (struct,
    // literal name), "element_at"/"get_item" (array or map, key)
    kParameter,  // of a lambda around it: number `column`, counted from the outermost lambda's
                 // first; `name` for display
    kLambda,     // an argument of a higher-order function: args[0] is the body, the others are its
                 // parameters; `type` is the body's
  };

  Kind kind = Kind::kLiteral;
  std::shared_ptr<arrow::DataType> type;
  std::shared_ptr<arrow::Scalar> literal;
  int column = -1;  // of kColumn, kParameter
  std::string name;
  std::vector<ExprPtr> args;
  Span span;  // where it stands in the query, for errors at run time
  // Inserted by us, so left out of names: a cast that coercion asked for, the field names of
  // struct(). Says nothing about the value; ExprEquals does not look at it.
  bool is_implicit = false;
  // What names show in place of the call's own text, where Spark shows what the query says: the
  // name of an alias, a form that became other calls. "" for none. Says nothing about the value.
  std::string text;
};

ExprPtr MakeColumn(int column, std::string name, std::shared_ptr<arrow::DataType> type,
                   Span span = {});
ExprPtr MakeLiteral(std::shared_ptr<arrow::Scalar> value, Span span = {});
ExprPtr MakeParameter(int number, std::string name, std::shared_ptr<arrow::DataType> type,
                      Span span = {});
ExprPtr MakeLambda(ExprPtr body, std::vector<ExprPtr> parameters, Span span = {});

// Spark's SQL text of the expression, as it names an unaliased column ("(a + 1)", "count(1)",
// "CAST(x AS INT)").
std::string ExprText(const Expr& expr);
bool ExprEquals(const Expr& a, const Expr& b);  // structure, types and literals; spans do not count
bool IsDeterministic(
    const Expr& expr);  // no rand(), uuid(); current_timestamp() is deterministic in an epoch
bool IsRepeatable(const Expr& expr);  // deterministic, and the same in every epoch
// Adds the input columns that the expression reads.
void CollectColumns(const Expr& expr, std::vector<bool>* used);
// A copy with column i replaced by replacement[i] (projection collapse, column pruning).
ExprPtr SubstituteColumns(const ExprPtr& expr, const std::vector<ExprPtr>& replacement);

}  // namespace tidemill
