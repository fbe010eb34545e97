#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace tidemill::deploy {

// Adds -o,--output with the first format as the default. `format` must outlive the parse.
void AddOutputOption(CLI::App* command, std::string* format,
                     const std::vector<std::string>& formats);

// Data to standard output, as it is.
void Print(std::string_view text);

}  // namespace tidemill::deploy
