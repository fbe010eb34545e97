#include "common/types/catalog_name.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "common/types/ddl.h"

namespace tidemill {

std::string CatalogTypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
      return fmt::format("array<{}>", CatalogTypeName(*type.field(0)->type()));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      return fmt::format("map<{},{}>", CatalogTypeName(*map.key_type()),
                         CatalogTypeName(*map.item_type()));
    }
    case arrow::Type::STRUCT: {
      std::string name = "struct<";
      for (const auto& field : type.fields()) {
        if (name.back() != '<') name += ',';
        name += fmt::format("{}:{}", field->name(), CatalogTypeName(*field->type()));
      }
      return name + ">";
    }
    default: {
      std::string name = SqlTypeName(type);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      return name;
    }
  }
}

}  // namespace tidemill
