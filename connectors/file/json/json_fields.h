#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "connectors/file/json/json_scanner.h"

namespace tidemill::connectors {

// Finds fields by name (case-sensitive). Records tend to have their fields in one order, so the
// field that followed last time is tried first. *Thread-compatible.*
class JsonFields {
 public:
  explicit JsonFields(std::vector<std::string> names) : names_(std::move(names)) {
    for (size_t i = 0; i < names_.size(); ++i) index_.emplace(names_[i], static_cast<int>(i));
  }
  JsonFields(const JsonFields&) = delete;
  JsonFields& operator=(const JsonFields&) = delete;

  // The index of a field, or -1.
  int Find(const JsonValue& key) {
    if (key.kind == JsonKind::kEscapedString) {
      unescaped_.clear();
      UnescapeJson(key.text(), &unescaped_);
      return Find(std::string_view(unescaped_));
    }
    return Find(key.text());
  }

 private:
  int Find(std::string_view name) {
    if (next_ >= names_.size()) next_ = 0;
    if (next_ < names_.size() && names_[next_] == name) return static_cast<int>(next_++);
    const auto found = index_.find(name);
    if (found == index_.end()) return -1;
    next_ = static_cast<size_t>(found->second) + 1;
    return found->second;
  }

  const std::vector<std::string> names_;
  std::unordered_map<std::string_view, int> index_;  // keys point into names_
  size_t next_ = 0;
  std::string unescaped_;
};

}  // namespace tidemill::connectors
