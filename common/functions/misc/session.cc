#include <arrow/type.h>

#include <string>
#include <utility>

#include "common/functions/columns.h"
#include "common/functions/misc/misc.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

FunctionInfo Constant(const std::string& name, const std::string& text) {
  FunctionInfo info;
  info.name = name;
  info.usage = name + "()";
  info.is_total = true;
  info.bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, name + "()", args.size(), 0, 0));
    const arrow::Datum value(std::make_shared<arrow::StringScalar>(text));
    Kernel kernel = [value](const EvalContext&, std::span<const arrow::Datum>,
                            int64_t) -> arrow::Result<arrow::Datum> { return value; };
    return BoundFunction{{}, arrow::utf8(), std::move(kernel)};
  };
  return info;
}

}  // namespace

void AddSessionFunctions(FunctionCatalog* catalog) {
  catalog->Add(Constant("current_catalog", "spark_catalog"));
  catalog->Add(Constant("current_database", "default"), {"current_schema"});
  catalog->Add(Constant("current_user", "tidemill"), {"user", "session_user"});
  catalog->Add(Constant("version", "0.1.0 tidemill"));
}

}  // namespace tidemill
