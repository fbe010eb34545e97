#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/json/json_scanner.h"

namespace tidemill {

// Finds fields by name (case-sensitive). Objects tend to have the same fields in the same order, so
// what stood at the same place in the object before is compared first; that holds for fields that
// nobody asks for too. *Thread-compatible.*
class JsonFields {
 public:
  explicit JsonFields(std::vector<std::string> names) : names_(std::move(names)) {
    for (size_t i = 0; i < names_.size(); ++i) index_.emplace(names_[i], static_cast<int>(i));
  }
  JsonFields(const JsonFields&) = delete;
  JsonFields& operator=(const JsonFields&) = delete;

  // The next key is the first of an object.
  void BeginObject() { place_ = 0; }

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
  static constexpr size_t kMaxPlaces = 1024;

  struct Place {
    std::string name;
    int field = -1;
  };

  int Find(std::string_view name) {
    if (place_ < places_.size() && places_[place_].name == name) return places_[place_++].field;
    const auto found = index_.find(name);
    const int field = found == index_.end() ? -1 : found->second;
    if (place_ >= kMaxPlaces) return field;
    if (place_ >= places_.size()) places_.resize(place_ + 1);
    places_[place_].name = name;
    places_[place_++].field = field;
    return field;
  }

  const std::vector<std::string> names_;
  std::unordered_map<std::string_view, int> index_;  // keys point into names_
  std::vector<Place> places_;                        // what the last object had
  size_t place_ = 0;
  std::string unescaped_;
};

}  // namespace tidemill
