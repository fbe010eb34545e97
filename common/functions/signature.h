#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/expr/function_registry.h"
#include "common/expr/type_coercion.h"

namespace tidemill {

// The functions by name, aliases included. Filled once by the Add...Functions of each folder file,
// then read only. *Thread-compatible.*
class FunctionCatalog {
 public:
  void Add(FunctionInfo info, std::initializer_list<std::string_view> aliases = {});
  const FunctionInfo* Find(const std::string& lower_name) const;
  // Sorted, with aliases; names with a $ are for plans, not for users.
  std::vector<std::string> Names() const;

 private:
  std::map<std::string, std::shared_ptr<const FunctionInfo>> by_name_;
};

void AddAccessFunctions(FunctionCatalog* catalog);
void AddArithmeticFunctions(FunctionCatalog* catalog);
void AddCaseFunctions(FunctionCatalog* catalog);
void AddCollectionFunctions(FunctionCatalog* catalog);
void AddComparisonFunctions(FunctionCatalog* catalog);
void AddConditionalFunctions(FunctionCatalog* catalog);
void AddCsvFunctions(FunctionCatalog* catalog);
void AddDatetimeFunctions(FunctionCatalog* catalog);
void AddJsonFunctions(FunctionCatalog* catalog);
void AddLogicFunctions(FunctionCatalog* catalog);
void AddMathFunctions(FunctionCatalog* catalog);
void AddRandomFunctions(FunctionCatalog* catalog);
void AddRegexFunctions(FunctionCatalog* catalog);
void AddRoundFunctions(FunctionCatalog* catalog);
void AddSearchFunctions(FunctionCatalog* catalog);
void AddSplitFunctions(FunctionCatalog* catalog);
void AddStringFunctions(FunctionCatalog* catalog);
void AddTimeWindowFunctions(FunctionCatalog* catalog);

// A function whose parameters have fixed types. *Plain data.*
struct Signature {
  std::string name;
  std::string usage;
  std::vector<TypePtr> params;  // nullptr: any type, passed as it is
  int required = -1;            // parameters that must be given; -1: all
  bool is_variadic = false;     // the last parameter may be repeated
  TypePtr result;
  Kernel kernel;
  // Instead of `kernel`, where literal arguments are prepared once (patterns).
  std::function<arrow::Result<Kernel>(std::span<const ExprPtr> args)> make_kernel;
  bool is_total = false;
  // Fails on no input once all arguments but the first are literals.
  bool is_total_if_prepared = false;
};
FunctionInfo FromSignature(Signature signature);

// The value of a string literal, or nullptr where the argument is NULL or not a literal.
const std::string* StringLiteralOf(const Expr& expr, std::string* storage);
bool IsNullLiteral(const Expr& expr);
bool IsLiteral(const Expr& expr);

// Errors at binding. `argument` counts from 0; `required` is Spark's text of what is wanted, types
// in double quotes; `shown_as` is the number the argument goes by where that is another.
arrow::Status CheckArgCount(std::string_view name, std::string_view usage, size_t count,
                            size_t least, size_t most);
arrow::Status WrongNumArgs(std::string_view name, std::string_view usage, std::string_view expected,
                           size_t actual);
arrow::Status UnexpectedInput(std::string_view name, std::span<const ExprPtr> args, size_t argument,
                              std::string_view required,
                              std::optional<size_t> shown_as = std::nullopt);
arrow::Status IncompatibleOperands(std::string_view name, std::span<const ExprPtr> args);
arrow::Status DataDiffTypes(std::string_view name, std::span<const ExprPtr> args);
arrow::Status WrongOperandType(std::string_view name, std::span<const ExprPtr> args,
                               std::string_view required);
arrow::Status NonFoldableArgument(std::string_view name, std::span<const ExprPtr> args,
                                  size_t argument);

}  // namespace tidemill
