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
// what stood at the same place in the object before is compared first, as bytes up to the colon
// where the scanner can; that holds for fields that nobody asks for too. *Thread-compatible.*
class JsonFields {
 public:
  explicit JsonFields(std::vector<std::string> names) : names_(std::move(names)) {
    for (size_t i = 0; i < names_.size(); ++i) index_.emplace(names_[i], static_cast<int>(i));
  }
  JsonFields(const JsonFields&) = delete;
  JsonFields& operator=(const JsonFields&) = delete;

  // The next key is the first of an object.
  void BeginObject() { place_ = 0; }

  // `"name":` as the next field is expected to begin; empty for none. It holds no escape.
  std::string_view expected_head() const {
    return place_ < places_.size() ? std::string_view(places_[place_].head) : std::string_view();
  }
  // The index of the field that did begin so, or -1.
  int TakeExpected() { return places_[place_++].field; }
  // The index of a field, or -1.
  int Find(const JsonValue& key) {
    if (key.kind == JsonKind::kEscapedString) {
      unescaped_.clear();
      UnescapeJson(key.text(), &unescaped_);
      return Find(std::string_view(unescaped_), /*has_escapes=*/true);
    }
    return Find(key.text(), /*has_escapes=*/false);
  }

 private:
  static constexpr size_t kMaxPlaces = 1024;

  struct Place {
    std::string name;
    std::string head;
    int field = -1;
  };

  int Find(std::string_view name, bool has_escapes) {
    if (place_ < places_.size() && places_[place_].name == name) return places_[place_++].field;
    const auto found = index_.find(name);
    const int field = found == index_.end() ? -1 : found->second;
    if (place_ >= kMaxPlaces) return field;
    if (place_ >= places_.size()) places_.resize(place_ + 1);
    Place& place = places_[place_++];
    place.name = name;
    const bool is_plain = !has_escapes && name.find('"') == std::string_view::npos;
    place.head = is_plain ? '"' + place.name + "\":" : "";
    place.field = field;
    return field;
  }

  const std::vector<std::string> names_;
  std::unordered_map<std::string_view, int> index_;  // keys point into names_
  std::vector<Place> places_;                        // what the last object had
  size_t place_ = 0;
  std::string unescaped_;
};

}  // namespace tidemill
