#include "driver/spec/map_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "driver/spec/text_pieces.h"

namespace tidemill::driver {

arrow::Status SpecError(std::string_view rule, std::string message, Span span, std::string hint) {
  return MakeError(ErrorKind::kInvalid, fmt::format("INVALID_SPECIFICATION.{}", rule),
                   std::move(message), span, std::move(hint));
}

std::string_view KindName(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kSequence:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

arrow::Status CheckKeys(const YamlNode& map, std::string_view text, std::string_view what,
                        bool ignore_case) {
  std::map<std::string, Span> seen;
  for (const auto& [key, value] : map.entries) {
    if (key.kind != YamlNode::Kind::kScalar) {
      return SpecError("WRONG_TYPE",
                       fmt::format("a key must be a word: got {} in {}", KindName(key), what),
                       key.span);
    }
    std::string name = key.scalar;
    if (ignore_case) std::transform(name.begin(), name.end(), name.begin(), ::tolower);
    const auto [first, is_new] = seen.emplace(std::move(name), key.span);
    if (is_new) continue;
    const auto line = 1 + std::count(text.begin(), text.begin() + first->second.begin, '\n');
    return SpecError(
        "DUPLICATE_KEY",
        fmt::format("duplicate key: {} in {}, first on line {}", key.scalar, what, line), key.span);
  }
  return arrow::Status::OK();
}

arrow::Result<MapReader> MapReader::Make(const YamlNode& node, std::string_view text,
                                         std::string what, std::vector<std::string_view> known) {
  if (node.kind != YamlNode::Kind::kMap) {
    return SpecError(
        "WRONG_TYPE",
        fmt::format("{} must be a map of keys and values: got {}", what, KindName(node)), node.span,
        fmt::format("its keys are {}", fmt::join(known, ", ")));
  }
  ARROW_RETURN_NOT_OK(CheckKeys(node, text, what, /*ignore_case=*/false));
  for (const auto& [key, value] : node.entries) {
    if (std::find(known.begin(), known.end(), key.scalar) != known.end()) continue;
    const std::string nearest = NearestName(key.scalar, known);
    return SpecError("UNKNOWN_KEY", fmt::format("unknown key: {} in {}", key.scalar, what),
                     key.span,
                     nearest.empty() ? fmt::format("its keys are {}", fmt::join(known, ", "))
                                     : fmt::format("did you mean {}?", nearest));
  }
  return MapReader(node, text, std::move(what));
}

const YamlNode* MapReader::Find(std::string_view key) const {
  for (const auto& [name, value] : node_->entries) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

Span MapReader::KeySpan(std::string_view key) const {
  for (const auto& [name, value] : node_->entries) {
    if (name.scalar == key) return name.span;
  }
  return node_->span;
}

arrow::Result<std::string> MapReader::GetText(std::string_view key) const {
  const YamlNode* value = Find(key);
  if (value == nullptr) {
    return SpecError("MISSING_KEY", fmt::format("missing key: {} in {}", key, what_), node_->span);
  }
  if (value->kind == YamlNode::Kind::kNull ||
      (value->kind == YamlNode::Kind::kScalar && value->scalar.empty())) {
    return SpecError("WRONG_TYPE", fmt::format("{} of {} has no value", key, what_), KeySpan(key));
  }
  if (value->kind != YamlNode::Kind::kScalar) {
    return SpecError("WRONG_TYPE",
                     fmt::format("{} of {} must be a text: got {}", key, what_, KindName(*value)),
                     value->span);
  }
  return value->scalar;
}

arrow::Result<bool> MapReader::GetBool(std::string_view key, bool fallback) const {
  if (!Has(key)) return fallback;
  ARROW_ASSIGN_OR_RAISE(std::string text, GetText(key));
  std::transform(text.begin(), text.end(), text.begin(), ::tolower);
  if (text == "true") return true;
  if (text == "false") return false;
  return SpecError("WRONG_TYPE",
                   fmt::format("{} of {} must be true or false: got {}", key, what_, text),
                   Find(key)->span);
}

SpecPlace MapReader::PlaceOf(std::string_view key) const {
  const YamlNode* value = Find(key);
  if (value == nullptr) return {node_->span, {}};
  SpecPlace place;
  place.span = value->span;
  if (value->kind == YamlNode::Kind::kScalar) {
    place.pieces = FindTextPieces(text_, value->span.begin, value->scalar);
  }
  return place;
}

}  // namespace tidemill::driver
