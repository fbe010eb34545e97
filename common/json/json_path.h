#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json_scanner.h"

namespace tidemill {

// A path of get_json_object, compiled once: "$.a.b[0]['c'][*]". *Immutable.*
class JsonPath {
 public:
  // Nothing for what is no path; get_json_object gives NULL then.
  static std::optional<JsonPath> Compile(std::string_view text);

  // Appends what the path finds in a record, as get_json_object prints it: a string as it is, all
  // else as JSON without white space. False where it finds nothing, or null, or the record is
  // broken.
  bool Find(std::string_view record, std::string* out) const;

 private:
  struct Step {
    enum class Kind : uint8_t { kField, kIndex, kAllElements };
    Kind kind = Kind::kField;
    std::string name;
    int64_t index = 0;
  };

  // What a path without a wildcard finds.
  bool FindOne(std::string_view record, std::string* out) const;
  // Takes the steps from `step` on while the value that comes next is checked; false where that is
  // broken. `found` stays as it is where they lead nowhere.
  bool ScanFor(size_t step, JsonScanner* scanner, JsonValue* found) const;
  void FindIn(const JsonValue& value, size_t step, JsonValue* found) const;
  // Everything that a path with wildcards finds, each as JSON text.
  bool Collect(const JsonValue& value, size_t step, std::vector<std::string>* found) const;

  std::vector<Step> steps_;
  bool has_wildcard_ = false;
};

// A scanned value as JSON text without white space, numbers as Jackson writes them.
void AppendCompactJson(const JsonValue& value, std::string* out);

}  // namespace tidemill
