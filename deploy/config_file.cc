#include "deploy/config_file.h"

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/fs/file_system.h"
#include "driver/spec/map_reader.h"
#include "driver/spec/yaml_node.h"

namespace tidemill::deploy {

namespace {

constexpr int64_t kMaxBytes = 1 << 20;

arrow::Result<std::map<std::string, std::string>> ReadValues(
    const std::string& text, const std::vector<std::string_view>& known) {
  std::map<std::string, std::string> values;
  ARROW_ASSIGN_OR_RAISE(const driver::YamlNode root, driver::ParseYaml(text));
  if (root.kind == driver::YamlNode::Kind::kNull) return values;
  ARROW_ASSIGN_OR_RAISE(const auto map,
                        driver::MapReader::Make(root, text, "the configuration", known));
  for (const std::string_view key : known) {
    if (!map.Has(key)) continue;
    ARROW_ASSIGN_OR_RAISE(values[std::string(key)], map.GetText(key));
  }
  return values;
}

}  // namespace

arrow::Result<std::map<std::string, std::string>> ReadConfigFile(
    const std::string& path, const std::vector<std::string_view>& known) {
  const auto read = [&]() -> arrow::Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(const FileInfo info, FileSystem::Local()->Stat(path));
    if (!info.is_regular || info.size > kMaxBytes) {
      return MakeError(ErrorKind::kInvalid, "INVALID_CONFIGURATION",
                       fmt::format("a configuration is a file of at most {} bytes", kMaxBytes));
    }
    return ReadFile(FileSystem::Local(), path);
  };
  const arrow::Result<std::string> text = read();
  if (!text.ok()) return WithContext(text.status(), fmt::format("read {}", path));
  auto values = ReadValues(*text, known);
  if (!values.ok()) return WithSource(values.status(), path, *text);
  return values;
}

}  // namespace tidemill::deploy
