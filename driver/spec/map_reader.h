#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "driver/spec/job_spec.h"
#include "driver/spec/yaml_node.h"

namespace tidemill::driver {

// An error of the class INVALID_SPECIFICATION.<rule> (kInvalid).
arrow::Status SpecError(std::string_view rule, std::string message, Span span,
                        std::string hint = "");

// One map of a specification with the keys that it may hold: checks them all at once, then hands
// out typed values. `what` names the map in messages ("source clicks"). *Thread-compatible.*
class MapReader {
 public:
  // Errors: WRONG_TYPE (not a map, a key that is no word), UNKNOWN_KEY with the nearest of
  // `known`, DUPLICATE_KEY. `node`, `text` (the file) must outlive this.
  static arrow::Result<MapReader> Make(const YamlNode& node, std::string_view text,
                                       std::string what, std::vector<std::string_view> known);

  // The value of a key, or nullptr where the key is missing.
  const YamlNode* Find(std::string_view key) const;
  // The key's own place; the map's where the key is missing.
  Span KeySpan(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key) != nullptr; }

  // Errors: MISSING_KEY, WRONG_TYPE.
  arrow::Result<std::string> GetText(std::string_view key) const;
  // Errors: WRONG_TYPE, also for words YAML 1.2 does not take for a boolean.
  arrow::Result<bool> GetBool(std::string_view key, bool fallback) const;
  // Where the text value of a key stands, ready for LocateInSpec.
  SpecPlace PlaceOf(std::string_view key) const;

  const std::string& what() const { return what_; }
  Span span() const { return node_->span; }

 private:
  MapReader(const YamlNode& node, std::string_view text, std::string what)
      : node_(&node), text_(text), what_(std::move(what)) {}

  const YamlNode* node_;
  std::string_view text_;
  std::string what_;
};

// Checks that no key stands twice, ignoring case where `ignore_case`, and that keys are words.
arrow::Status CheckKeys(const YamlNode& map, std::string_view text, std::string_view what,
                        bool ignore_case);
// "a list", "a map", ...: what a value is, for messages.
std::string_view KindName(const YamlNode& node);

}  // namespace tidemill::driver
