#pragma once

#include <string>
#include <string_view>

namespace tidemill::driver::sql {

// Replaces the escapes inside a string literal (`body` is without the quotes) as Spark does:
// \n \t \r \b \0 \Z \\ \' \", octal \ooo, \uXXXX, \UXXXXXXXX; \% and \_ keep their backslash for
// LIKE; before any other character the backslash is dropped. A doubled `quote` stands for one.
std::string UnescapeString(std::string_view body, char quote);

}  // namespace tidemill::driver::sql
