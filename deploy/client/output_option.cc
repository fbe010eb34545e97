#include "deploy/client/output_option.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>

namespace tidemill::deploy {

void AddOutputOption(CLI::App* command, std::string* format,
                     const std::vector<std::string>& formats) {
  *format = formats.front();
  command->add_option("-o,--output", *format, fmt::format("{}", fmt::join(formats, " or ")))
      ->envname("TIDEMILL_OUTPUT")
      ->check(CLI::IsMember(formats));
}

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace tidemill::deploy
