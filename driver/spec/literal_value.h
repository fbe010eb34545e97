#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

#include "driver/spec/yaml_node.h"

namespace tidemill::driver {

// A YAML value as the text of a SQL literal: 5 is INT or BIGINT, 1.5 is DOUBLE, true BOOLEAN, null
// NULL, any other text STRING (numbers in quotes too); {type: DATE, value: 2024-05-01} is the value
// cast to the type. `text` is the file, `name` that of the parameter. Errors (kInvalid, with
// spans): INVALID_SPECIFICATION.*, those of ParseDdlType.
arrow::Result<std::string> LiteralOf(const YamlNode& node, std::string_view text,
                                     const std::string& name);

}  // namespace tidemill::driver
