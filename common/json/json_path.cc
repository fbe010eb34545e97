#include "common/json/json_path.h"

#include <algorithm>
#include <charconv>

#include "common/json/json_numbers.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace {

constexpr JsonSyntax kSyntax = {};

void AppendScannedString(const JsonValue& value, std::string* out) {
  if (value.kind == JsonKind::kString) {
    AppendJsonString(value.text(), out);
    return;
  }
  std::string text;
  UnescapeJson(value.text(), &text);
  AppendJsonString(text, out);
}

// A string as it is. Only other bytes than those of ASCII may be broken and need replacing.
void AppendPlainString(const JsonValue& value, std::string* out) {
  const std::string_view text = value.text();
  if (std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; })) {
    return UnescapeJson(text, out);
  }
  std::string quoted;
  AppendScannedString(value, &quoted);
  UnescapeJson(std::string_view(quoted).substr(1, quoted.size() - 2), out);
}

bool IsNamed(const JsonValue& key, std::string_view name) {
  if (key.kind == JsonKind::kString) return key.text() == name;
  std::string text;
  UnescapeJson(key.text(), &text);
  return text == name;
}

}  // namespace

void AppendCompactJson(const JsonValue& value, std::string* out) {
  switch (value.kind) {
    case JsonKind::kNull:
      *out += "null";
      return;
    case JsonKind::kString:
    case JsonKind::kEscapedString:
      return AppendScannedString(value, out);
    case JsonKind::kReal: {
      double number = 0;
      if (JsonReal(value.text(), &number)) {
        AppendDoubleText(number, out);
        return;
      }
      break;
    }
    case JsonKind::kObject: {
      char before = '{';
      JsonScanner scanner(value.text(), kSyntax);
      (void)scanner.ScanObject([&](const JsonValue& key, const JsonValue& child) {
        *out += before;
        before = ',';
        AppendScannedString(key, out);
        *out += ':';
        AppendCompactJson(child, out);
      });  // scanned before
      if (before == '{') *out += '{';
      *out += '}';
      return;
    }
    case JsonKind::kArray: {
      char before = '[';
      JsonScanner scanner(value.text(), kSyntax);
      (void)scanner.ScanArray([&](const JsonValue& child) {
        *out += before;
        before = ',';
        AppendCompactJson(child, out);
      });  // scanned before
      if (before == '[') *out += '[';
      *out += ']';
      return;
    }
    default:
      break;
  }
  out->append(value.text());
}

std::optional<JsonPath> JsonPath::Compile(std::string_view text) {
  if (text.empty() || text[0] != '$') return std::nullopt;
  JsonPath path;
  size_t i = 1;
  while (i < text.size()) {
    Step step;
    if (text[i] == '.') {
      const size_t end = std::min(text.find_first_of(".[", i + 1), text.size());
      step.name = std::string(text.substr(i + 1, end - i - 1));
      // A wildcard over fields finds nothing in Spark either.
      if (step.name.empty() || step.name == "*") return std::nullopt;
      i = end;
    } else if (text[i] == '[') {
      const size_t end = text[i + 1 < text.size() ? i + 1 : i] == '\'' ? text.find("']", i + 2)
                                                                       : text.find(']', i);
      if (end == std::string_view::npos) return std::nullopt;
      const std::string_view inside = text.substr(i + 1, end - i - 1);
      i = end + 1;
      if (inside.starts_with('\'')) {
        step.name = std::string(inside.substr(1));
        ++i;  // the quote that ends the name stands before the bracket
        if (step.name.empty() || step.name == "*") return std::nullopt;
      } else if (inside == "*") {
        step.kind = Step::Kind::kAllElements;
        path.has_wildcard_ = true;
      } else {
        step.kind = Step::Kind::kIndex;
        const auto parsed =
            std::from_chars(inside.data(), inside.data() + inside.size(), step.index);
        if (parsed.ec != std::errc() || parsed.ptr != inside.data() + inside.size() ||
            step.index < 0) {
          return std::nullopt;
        }
      }
    } else {
      return std::nullopt;
    }
    path.steps_.push_back(std::move(step));
  }
  return path;
}

bool JsonPath::Collect(const JsonValue& value, size_t step, std::vector<std::string>* found) const {
  if (step == steps_.size()) {
    if (value.kind == JsonKind::kNull) return false;
    AppendCompactJson(value, &found->emplace_back());
    return true;
  }
  const Step& next = steps_[step];
  bool is_found = false;
  JsonScanner scanner(value.text(), kSyntax);
  if (next.kind == Step::Kind::kField) {
    if (value.kind != JsonKind::kObject) return false;
    (void)scanner.ScanObject([&](const JsonValue& key, const JsonValue& child) {
      // The first of fields with one name counts.
      if (!is_found && IsNamed(key, next.name)) is_found = Collect(child, step + 1, found);
    });
    return is_found;
  }
  if (value.kind != JsonKind::kArray) return false;
  int64_t at = 0;
  (void)scanner.ScanArray([&](const JsonValue& child) {
    if (next.kind == Step::Kind::kIndex && at++ != next.index) return;
    // An array right behind a wildcard is flattened by the wildcard that follows it.
    is_found = Collect(child, step + 1, found) || is_found;
  });
  return is_found;
}

bool JsonPath::ScanFor(size_t step, JsonScanner* scanner, JsonValue* found) const {
  const Step* const next = step < steps_.size() ? &steps_[step] : nullptr;
  const char first = scanner->Peek();
  if (next != nullptr && next->kind == Step::Kind::kField && first == '{') {
    return scanner->ScanObject([&](const JsonValue& key, const JsonValue& child) {
      // The first of fields with one name counts, unless nothing is found in it.
      const bool is_found = found->kind != JsonKind::kNull;
      if (!is_found && IsNamed(key, next->name)) FindIn(child, step + 1, found);
    });
  }
  if (next != nullptr && next->kind == Step::Kind::kIndex && first == '[') {
    int64_t at = 0;
    return scanner->ScanArray([&](const JsonValue& child) {
      if (at++ == next->index) FindIn(child, step + 1, found);
    });
  }
  JsonValue value;
  if (!scanner->ScanValue(&value)) return false;
  if (next == nullptr) *found = value;
  return true;
}

void JsonPath::FindIn(const JsonValue& value, size_t step, JsonValue* found) const {
  if (step == steps_.size()) {
    *found = value;
  } else if (value.kind == JsonKind::kObject || value.kind == JsonKind::kArray) {
    JsonScanner scanner(value.text(), kSyntax);
    (void)ScanFor(step, &scanner, found);  // scanned before
  }
}

bool JsonPath::FindOne(std::string_view record, std::string* out) const {
  JsonScanner scanner(record, kSyntax);
  JsonValue found;
  if (!ScanFor(0, &scanner, &found)) return false;
  if (found.kind == JsonKind::kNull) return false;
  if (found.kind == JsonKind::kString || found.kind == JsonKind::kEscapedString) {
    AppendPlainString(found, out);
  } else {
    AppendCompactJson(found, out);
  }
  return true;
}

bool JsonPath::Find(std::string_view record, std::string* out) const {
  if (!has_wildcard_) return FindOne(record, out);
  JsonScanner scanner(record, kSyntax);
  JsonValue root;
  if (scanner.IsAtEnd() || !scanner.ScanValue(&root)) return false;
  std::vector<std::string> found;
  if (!Collect(root, 0, &found) || found.empty()) return false;
  if (found.size() == 1) {
    const std::string& only = found[0];
    const bool ends_in_wildcard = !steps_.empty() && steps_.back().kind == Step::Kind::kAllElements;
    // A string stands for itself, unless it is the element of an array that was asked for whole.
    if (only.starts_with('"') && !ends_in_wildcard) {
      UnescapeJson(std::string_view(only).substr(1, only.size() - 2), out);
    } else {
      *out += only;
    }
    return true;
  }
  char before = '[';
  for (const std::string& text : found) {
    *out += before;
    *out += text;
    before = ',';
  }
  *out += ']';
  return true;
}

}  // namespace tidemill
