#include <arrow/config.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "common/base/failpoint.h"
#include "deploy/commands.h"

namespace tidemill::deploy {

namespace {

std::string VersionText() {
  return fmt::format("tidemill {}\nbuild: {}, {}\narrow: {}\n", TIDEMILL_VERSION,
                     TIDEMILL_BUILD_TYPE, __VERSION__, arrow::GetBuildInfo().version_string);
}

std::string VersionJson() {
  std::vector<std::string> failpoints;
  for (std::string_view name : FailpointNames()) failpoints.push_back(fmt::format("\"{}\"", name));
  return fmt::format(
      "{{\"version\":\"{}\",\"build\":{{\"type\":\"{}\",\"compiler\":\"{}\"}},\"libraries\":{{"
      "\"arrow\":\"{}\"}},"
      "\"failpoints\":[{}]}}\n",
      TIDEMILL_VERSION, TIDEMILL_BUILD_TYPE, __VERSION__, arrow::GetBuildInfo().version_string,
      fmt::join(failpoints, ","));
}

}  // namespace

void AddVersionCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command = app->add_subcommand("version", "Print version, build and library versions");
  auto format = std::make_shared<std::string>("text");
  command->add_option("-o,--output", *format, "text or json")
      ->envname("TIDEMILL_OUTPUT")
      ->check(CLI::IsMember({"text", "json"}));
  command->callback([format] {
    const std::string text = *format == "json" ? VersionJson() : VersionText();
    std::fwrite(text.data(), 1, text.size(), stdout);
  });
}

}  // namespace tidemill::deploy
