#include "common/json/json_view.h"

namespace tidemill {

namespace {

constexpr JsonSyntax kStrict{.allows_single_quotes = false, .allows_non_numeric_numbers = false};

std::string StringOf(const JsonValue& value) {
  if (value.kind != JsonKind::kEscapedString) return std::string(value.text());
  std::string text;
  UnescapeJson(value.text(), &text);
  return text;
}

}  // namespace

std::optional<JsonView> JsonView::Parse(std::string_view text) {
  JsonScanner scanner(text, kStrict);
  JsonValue value;
  if (!scanner.ScanValue(&value) || !scanner.IsAtEnd()) return std::nullopt;
  return JsonView(value);
}

JsonView JsonView::operator[](std::string_view name) const {
  for (const auto& [key, value] : Fields()) {
    if (key == name) return value;
  }
  return JsonView();
}

std::vector<std::pair<std::string, JsonView>> JsonView::Fields() const {
  std::vector<std::pair<std::string, JsonView>> fields;
  if (value_.kind != JsonKind::kObject) return fields;
  JsonScanner scanner(value_.text(), kStrict);
  (void)scanner.ScanObject([&](const JsonValue& key, const JsonValue& value) {
    fields.emplace_back(StringOf(key), JsonView(value));
  });  // Checked before, with the whole text.
  return fields;
}

std::vector<JsonView> JsonView::Elements() const {
  std::vector<JsonView> elements;
  if (value_.kind != JsonKind::kArray) return elements;
  JsonScanner scanner(value_.text(), kStrict);
  (void)scanner.ScanArray([&](const JsonValue& value) { elements.push_back(JsonView(value)); });
  return elements;
}

std::optional<std::string> JsonView::AsString() const {
  const bool is_string =
      value_.kind == JsonKind::kString || value_.kind == JsonKind::kEscapedString;
  return is_string ? std::optional(StringOf(value_)) : std::nullopt;
}

std::optional<double> JsonView::AsDouble() const {
  if (value_.kind != JsonKind::kInteger && value_.kind != JsonKind::kReal) return std::nullopt;
  double number = 0;
  std::from_chars(value_.data, value_.data + value_.size, number);
  return number;
}

}  // namespace tidemill
