#include "driver/spec/literal_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/types/ddl.h"
#include "driver/spec/map_reader.h"

namespace tidemill::driver {

namespace {

constexpr int kMaxBigintDigits = 19;

std::string QuotedText(std::string_view value) {
  std::string literal = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') literal += '\\';
    literal += c;
  }
  return literal + "'";
}

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "" for a text that YAML 1.2 does not take for a number.
std::string NumberLiteral(std::string_view value) {
  std::string_view digits = value;
  if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) digits.remove_prefix(1);
  const std::string sign = value.substr(0, 1) == "-" ? "-" : "";
  if (IsDigits(digits)) {
    const bool is_int = digits.size() <= kMaxBigintDigits;
    return sign + std::string(digits) + (is_int ? "" : "BD");
  }
  const size_t exponent = std::min(digits.find_first_of("eE"), digits.size());
  const std::string_view mantissa = digits.substr(0, exponent);
  std::string_view power = digits.substr(std::min(exponent + 1, digits.size()));
  if (!power.empty() && (power.front() == '-' || power.front() == '+')) power.remove_prefix(1);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::string_view fraction = mantissa.substr(std::min(point + 1, mantissa.size()));
  const bool is_real = IsDigits(mantissa.substr(0, point)) &&
                       (fraction.empty() || IsDigits(fraction)) &&
                       (exponent == digits.size() || IsDigits(power));
  return is_real ? sign + std::string(digits) + "D" : "";
}

std::string ScalarLiteral(const YamlNode& node, std::string_view text) {
  const char first = text[static_cast<size_t>(node.span.begin)];
  constexpr std::array<char, 4> kQuotes = {'"', '\'', '|', '>'};
  if (std::find(kQuotes.begin(), kQuotes.end(), first) == kQuotes.end()) {
    if (node.scalar == "true" || node.scalar == "false") return node.scalar;
    const std::string number = NumberLiteral(node.scalar);
    if (!number.empty()) return number;
  }
  return QuotedText(node.scalar);
}

}  // namespace

arrow::Result<std::string> LiteralOf(const YamlNode& node, std::string_view text,
                                     const std::string& name) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "NULL";
    case YamlNode::Kind::kScalar:
      return ScalarLiteral(node, text);
    case YamlNode::Kind::kSequence:
      return SpecError(
          "WRONG_TYPE",
          fmt::format("parameter {} must be a single value: got {}", name, KindName(node)),
          node.span, "or {type: DATE, value: 2024-05-01}");
    case YamlNode::Kind::kMap:
      break;
  }
  ARROW_ASSIGN_OR_RAISE(const MapReader map,
                        MapReader::Make(node, text, "parameter " + name, {"type", "value"}));
  ARROW_ASSIGN_OR_RAISE(const std::string type, map.GetText("type"));
  const auto parsed = ParseDdlType(type);
  if (!parsed.ok()) {
    return MakeError(KindOf(parsed.status()), ErrorClassOf(parsed.status()),
                     parsed.status().message(), map.Find("type")->span);
  }
  ARROW_ASSIGN_OR_RAISE(const std::string value, map.GetText("value"));
  return fmt::format("CAST({} AS {})", QuotedText(value), SqlTypeName(**parsed));
}

}  // namespace tidemill::driver
