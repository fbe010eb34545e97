#pragma once

#include <arrow/type_fwd.h>

#include <string>

namespace tidemill {

// The name of a type as Spark's catalog spells it: "int", "struct<a:int,b:array<string>>".
std::string CatalogTypeName(const arrow::DataType& type);

}  // namespace tidemill
