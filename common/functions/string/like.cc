#include "common/functions/string/like.h"

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/functions/string/pattern.h"

namespace tidemill {

namespace {

arrow::Status BadFormat(std::string_view subclass, std::string_view pattern,
                        const std::string& reason) {
  return MakeError(ErrorKind::kJobFailed, fmt::format("INVALID_FORMAT.{}", subclass),
                   fmt::format("The format is invalid: '{}'. {}", pattern, reason));
}

}  // namespace

arrow::Result<LikePattern> LikePattern::Parse(std::string_view pattern, char escape) {
  LikePattern like;
  std::string run;
  auto flush = [&] {
    if (!run.empty()) like.tokens_.push_back({Token::kText, std::move(run)});
    run.clear();
  };
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == escape) {
      if (i + 1 == pattern.size()) {
        return BadFormat("ESC_AT_THE_END", pattern,
                         "The escape character is not allowed to end with.");
      }
      const char next = pattern[++i];
      if (next != '_' && next != '%' && next != escape) {
        const std::string_view rest = pattern.substr(i, CharacterSize(next));
        return BadFormat("ESC_IN_THE_MIDDLE", pattern,
                         fmt::format("The escape character is not allowed to precede '{}'.", rest));
      }
      run += next;
      continue;
    }
    if (c == '%' || c == '_') {
      flush();
      const bool repeats =
          c == '%' && !like.tokens_.empty() && like.tokens_.back().kind == Token::kAnyText;
      if (!repeats) like.tokens_.push_back({c == '%' ? Token::kAnyText : Token::kAnyCharacter, ""});
      continue;
    }
    run += c;
  }
  flush();
  like.Classify();
  return like;
}

void LikePattern::Classify() {
  auto is = [&](size_t i, Token::Kind kind) {
    return i < tokens_.size() && tokens_[i].kind == kind;
  };
  const size_t size = tokens_.size();
  if (size == 0) {
    shape_ = Shape::kEqual;
  } else if (size == 1 && is(0, Token::kText)) {
    shape_ = Shape::kEqual;
    text_ = tokens_[0].text;
  } else if (size == 2 && is(0, Token::kText) && is(1, Token::kAnyText)) {
    shape_ = Shape::kPrefix;
    text_ = tokens_[0].text;
  } else if (size == 2 && is(0, Token::kAnyText) && is(1, Token::kText)) {
    shape_ = Shape::kSuffix;
    text_ = tokens_[1].text;
  } else if (size == 3 && is(0, Token::kAnyText) && is(1, Token::kText) && is(2, Token::kAnyText)) {
    shape_ = Shape::kContains;
    text_ = tokens_[1].text;
  }
}

bool LikePattern::Matches(std::string_view value) const {
  switch (shape_) {
    case Shape::kEqual:
      return value == text_;
    case Shape::kPrefix:
      return value.starts_with(text_);
    case Shape::kSuffix:
      return value.ends_with(text_);
    case Shape::kContains:
      return value.find(text_) != std::string_view::npos;
    case Shape::kGeneral:
      break;
  }
  // Going back to the last % is enough: an earlier one could only take more of what it may take.
  size_t at = 0, token = 0;
  size_t retry_token = tokens_.size() + 1, retry_at = 0;
  while (true) {
    if (token == tokens_.size() && at == value.size()) return true;
    if (token < tokens_.size()) {
      const Token& next = tokens_[token];
      if (next.kind == Token::kAnyText) {
        retry_token = ++token;
        retry_at = at;
        continue;
      }
      if (next.kind == Token::kAnyCharacter && at < value.size()) {
        at = std::min(value.size(), at + CharacterSize(value[at]));
        ++token;
        continue;
      }
      if (next.kind == Token::kText && value.substr(at).starts_with(next.text)) {
        at += next.text.size();
        ++token;
        continue;
      }
    }
    if (retry_token > tokens_.size() || retry_at >= value.size()) return false;
    retry_at = std::min(value.size(), retry_at + CharacterSize(value[retry_at]));
    at = retry_at;
    token = retry_token;
  }
}

}  // namespace tidemill
