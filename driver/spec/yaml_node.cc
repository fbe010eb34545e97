#include "driver/spec/yaml_node.h"

#include <arrow/util/utf8.h>
#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace tidemill::driver {

namespace {

constexpr size_t kMaxBytes = 1 << 20;
constexpr int kMaxBrackets = 256;  // open at once, those inside strings included
constexpr size_t kMaxNodes = 100'000;

arrow::Status SyntaxError(std::string message, Span span) {
  return MakeError(ErrorKind::kInvalid, "INVALID_SPECIFICATION.SYNTAX",
                   "not valid YAML: " + std::move(message), span);
}

int32_t LineEnd(std::string_view text, int32_t begin) {
  size_t end = std::min(text.find('\n', begin), text.size());
  while (end > static_cast<size_t>(begin) && (text[end - 1] == '\r' || text[end - 1] == ' ')) --end;
  return static_cast<int32_t>(end);
}

// Where the node proper begins: behind its anchor and tag.
int32_t SkipProperties(std::string_view text, int32_t begin) {
  size_t at = std::clamp<size_t>(begin, 0, text.size());
  while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
    at = std::min(text.find_first_of(" \n", at), text.size());
    at = std::min(text.find_first_not_of(" \n\r", at), text.size());
  }
  return static_cast<int32_t>(at);
}

Span SpanOfScalar(std::string_view text, int32_t begin, std::string_view value) {
  begin = SkipProperties(text, begin);
  const char first = static_cast<size_t>(begin) < text.size() ? text[begin] : '\0';
  if (first == '|' || first == '>') return {begin, begin + 1};
  if (first == '"' || first == '\'') {
    size_t end = begin + 1;
    while (end < text.size() && text[end] != first)
      end += first == '"' && text[end] == '\\' ? 2 : 1;
    while (first == '\'' && text.substr(end, 2) == "''")
      end = std::min(text.find('\'', end + 2), text.size());
    return {begin, static_cast<int32_t>(std::min(end, text.size() - 1) + 1)};
  }
  if (text.substr(begin, value.size()) == value) {
    return {begin, begin + static_cast<int32_t>(value.size())};
  }
  return {begin, LineEnd(text, begin)};
}

// Builds the tree from yaml-cpp's events, which come from a depth-first walk.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}

  // Valid once the document has ended.
  YamlNode TakeRoot() { return std::move(root_); }
  bool has_too_many_nodes() const { return num_nodes_ > kMaxNodes; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    const int32_t begin = std::clamp<int32_t>(mark.pos, 0, static_cast<int32_t>(text_.size()));
    node.span = {begin, begin};
    Add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return OnNull(mark, YAML::NullAnchor);
    num_nodes_ += found->second.second;
    if (!has_too_many_nodes()) Add(found->second.first, YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.span = SpanOfScalar(text_, mark.pos, value);
    node.scalar = value;
    Add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kSequence, mark, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kMap, mark, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapEnd() override { Close(); }

 private:
  struct OpenNode {
    YamlNode node;
    YAML::anchor_t anchor;
    size_t nodes_before;
  };

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    YamlNode node;
    node.kind = kind;
    const int32_t begin = SkipProperties(text_, mark.pos);
    node.span = {begin, LineEnd(text_, begin)};
    open_.push_back({std::move(node), anchor, num_nodes_});
    keys_.emplace_back();
  }

  void Close() {
    OpenNode closed = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    const size_t nodes = num_nodes_ - closed.nodes_before;
    Add(std::move(closed.node), closed.anchor, nodes);
  }

  // `nodes` are below this one.
  void Add(YamlNode node, YAML::anchor_t anchor, size_t nodes = 0) {
    ++num_nodes_;
    if (has_too_many_nodes()) return;
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {node, nodes + 1};
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    YamlNode& parent = open_.back().node;
    if (parent.kind == YamlNode::Kind::kSequence) {
      parent.items.push_back(std::move(node));
    } else if (keys_.back().empty()) {
      keys_.back().push_back(std::move(node));
    } else {
      parent.entries.push_back({std::move(keys_.back().front()), std::move(node)});
      keys_.back().clear();
    }
  }

  std::string_view text_;
  YamlNode root_;
  std::vector<OpenNode> open_;
  std::vector<std::vector<YamlNode>> keys_;  // of each open node: the key that waits for its value
  std::map<YAML::anchor_t, std::pair<YamlNode, size_t>> anchors_;
  size_t num_nodes_ = 0;
};

// yaml-cpp recurses with the nesting, so that is limited before it sees the text.
arrow::Status CheckText(const std::string& text) {
  if (text.size() > kMaxBytes) {
    return SyntaxError(fmt::format("at most {} bytes, got {}", kMaxBytes, text.size()), {});
  }
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(text)) return SyntaxError("not UTF-8", {});
  int open = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto at = static_cast<int32_t>(i);
    if (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\r' && c != '\t') {
      return SyntaxError("control character", {at, at + 1});
    }
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open > 0) --open;
    if (open > kMaxBrackets) return SyntaxError("nested too deeply", {at, at + 1});
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<YamlNode> ParseYaml(const std::string& text) {
  ARROW_RETURN_NOT_OK(CheckText(text));
  TreeBuilder builder(text);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    TreeBuilder next(text);
    if (parser.HandleNextDocument(next)) {
      const size_t begin = text.find("\n---");
      const auto at = static_cast<int32_t>(begin == std::string::npos ? 0 : begin + 1);
      return SyntaxError("one document in a file; several jobs stand under `jobs:`", {at, at + 3});
    }
  } catch (const YAML::Exception& error) {
    const int32_t at = std::clamp<int32_t>(error.mark.pos, 0, static_cast<int32_t>(text.size()));
    const bool is_depth = dynamic_cast<const YAML::DeepRecursion*>(&error) != nullptr;
    return SyntaxError(is_depth ? "nested too deeply" : error.msg, {at, at + 1});
  } catch (const std::exception& error) {
    return SyntaxError(error.what(), {});
  }
  if (builder.has_too_many_nodes()) {
    return SyntaxError(fmt::format("at most {} values", kMaxNodes), {});
  }
  return builder.TakeRoot();
}

}  // namespace tidemill::driver
