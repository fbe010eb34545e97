#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/functions/columns.h"
#include "common/functions/misc/misc.h"
#include "common/functions/signature.h"
#include "common/types/catalog_name.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

arrow::Status Raised(std::string_view message) {
  return MakeError(ErrorKind::kJobFailed, "USER_RAISED_EXCEPTION", std::string(message));
}

// Fails on the first row; a NULL message is "null".
arrow::Result<arrow::Datum> RaiseError(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn message(args[0]);
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  return Raised(validity[0] ? message[0] : "null");
}

FunctionInfo RaiseErrorInfo() {
  return FromSignature({.name = "raise_error",
                        .usage = "raise_error(message)",
                        .params = {arrow::utf8()},
                        .result = arrow::null(),
                        .kernel = RaiseError});
}

// assert_true(condition[, message]): NULL, or fails where the condition is not TRUE.
FunctionInfo AssertTrue() {
  FunctionInfo info;
  info.name = "assert_true";
  info.usage = "assert_true(expr[, message])";
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount("assert_true", usage, args.size(), 1, 2));
    const TypePtr& condition = args[0]->type;
    if (condition->id() != arrow::Type::BOOL && condition->id() != arrow::Type::NA &&
        !IsStringType(*condition)) {
      return UnexpectedInput("assert_true", args, 0, "\"BOOLEAN\"");
    }
    BoundFunction bound{{arrow::boolean()}, arrow::null()};
    if (args.size() == 2) {
      if (!CanCastImplicitly(*args[1]->type, *arrow::utf8())) {
        return UnexpectedInput("assert_true", args, 1, "\"STRING\"");
      }
      bound.arg_types.push_back(arrow::utf8());
    }
    const std::string plain = fmt::format("'{}' is not true!", ExprText(*args[0]));
    bound.kernel = [plain](const EvalContext& context, Args values,
                           int64_t rows) -> arrow::Result<arrow::Datum> {
      const BoolColumn holds(values[0]);
      ARROW_ASSIGN_OR_RAISE(Validity validity,
                            Validity::Of(values.subspan(0, 1), rows, context.pool));
      for (int64_t row = 0; row < rows; ++row) {
        if (validity[row] && holds[row]) continue;
        if (values.size() == 1) return Raised(plain);
        return RaiseError(context, values.subspan(1), rows);
      }
      return NullDatum(arrow::null());
    };
    return bound;
  };
  return info;
}

// A function whose value is known from the type of its argument.
template <class ValueOf>
FunctionInfo OfType(const std::string& name, ValueOf value_of) {
  FunctionInfo info;
  info.name = name;
  info.usage = name + "(expr)";
  info.is_total = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, 1));
    const arrow::Datum value(std::make_shared<arrow::StringScalar>(value_of(*args[0]->type)));
    Kernel kernel = [value](const EvalContext&, Args, int64_t) -> arrow::Result<arrow::Datum> {
      return value;
    };
    return BoundFunction{{args[0]->type}, arrow::utf8(), std::move(kernel)};
  };
  return info;
}

}  // namespace

void AddCheckFunctions(FunctionCatalog* catalog) {
  catalog->Add(AssertTrue());
  catalog->Add(RaiseErrorInfo());
  catalog->Add(OfType("typeof", CatalogTypeName));
  catalog->Add(OfType("collation", [](const arrow::DataType&) {
    return std::string("SYSTEM.BUILTIN.UTF8_BINARY");
  }));
}

}  // namespace tidemill
