#include <arrow/type.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <memory>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/codec/codec.h"
#include "common/functions/codec/radix_text.h"
#include "common/functions/codec/uri.h"
#include "common/functions/codec/utf8_validity.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/string/pattern.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// Appends the part that `name` names; false where there is none.
arrow::Result<bool> AppendPart(const Uri& uri, std::string_view name, TextWriter* out) {
  std::optional<std::string_view> part;
  if (name == "HOST") part = uri.host;
  if (name == "PATH" || name == "FILE") part = uri.path;
  if (name == "QUERY") part = uri.query;
  if (name == "REF") part = uri.fragment;
  if (name == "PROTOCOL") part = uri.scheme;
  if (name == "AUTHORITY") part = uri.authority;
  if (name == "USERINFO") part = uri.user_info;
  if (!part) return false;
  ARROW_RETURN_NOT_OK(out->Append(*part));
  if (name == "FILE" && uri.query) {
    ARROW_RETURN_NOT_OK(out->Append("?"));
    ARROW_RETURN_NOT_OK(out->Append(*uri.query));
  }
  return true;
}

// Finds the value of a key in a query; the key is a regular expression, as in Spark.
class QueryKey {
 public:
  arrow::Result<bool> Append(std::string_view query, std::string_view key, TextWriter* out) {
    if (pattern_ == nullptr || key != key_) {
      key_ = key;
      ARROW_ASSIGN_OR_RAISE(pattern_,
                            CompileRegex(fmt::format("(&|^){}=([^&]*)", key), "parse_url"));
    }
    re2::StringPiece groups[3];
    if (!pattern_->Match({query.data(), query.size()}, 0, query.size(), re2::RE2::UNANCHORED,
                         groups, 3)) {
      return false;
    }
    ARROW_RETURN_NOT_OK(out->Append({groups[2].data(), groups[2].size()}));
    return true;
  }

 private:
  std::string key_;
  std::shared_ptr<const re2::RE2> pattern_;
};

Kernel ParseUrl(bool is_try) {
  return [is_try](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn urls(args[0]), parts(args[1]);
    const TextColumn keys(args[args.size() == 3 ? 2 : 1]);
    const bool has_key = args.size() == 3;
    QueryKey query_key;
    return ComputeText(
        context, args, rows, arrow::utf8(), urls.ByteSize(rows) / 2,
        [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
          const auto uri = Uri::Parse(urls[row]);
          if (!uri) {
            if (is_try) return false;
            return MakeError(ErrorKind::kJobFailed, "INVALID_URL",
                             fmt::format("The url is invalid: {}. Use `try_parse_url` to tolerate "
                                         "invalid URL and return NULL instead.",
                                         urls[row]));
          }
          if (!has_key) return AppendPart(*uri, parts[row], out);
          if (parts[row] != "QUERY" || !uri->query) return false;
          return query_key.Append(*uri->query, keys[row], out);
        });
  };
}

arrow::Result<arrow::Datum> UrlEncode(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]);
  return ComputeText(context, args, rows, arrow::utf8(), text.ByteSize(rows) * 3 / 2,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       for (const char c : text[row]) {
                         const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                               (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                                               c == '*' || c == '_';
                         if (is_plain || c == ' ') {
                           const char plain = c == ' ' ? '+' : c;
                           ARROW_RETURN_NOT_OK(out->Append({&plain, 1}));
                         } else {
                           ARROW_RETURN_NOT_OK(out->Append("%"));
                           ARROW_RETURN_NOT_OK(AppendHex({&c, 1}, kUpperHex, out));
                         }
                       }
                       return true;
                     });
}

// The bytes that escapes stand for; false where one is broken.
bool Unescape(std::string_view text, std::string* bytes) {
  bytes->clear();
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      *bytes += text[at] == '+' ? ' ' : text[at];
      continue;
    }
    if (at + 2 >= text.size()) return false;
    const int high = HexDigit(text[at + 1]), low = HexDigit(text[at + 2]);
    if (high < 0 || low < 0) return false;
    *bytes += static_cast<char>(high << 4 | low);
    at += 2;
  }
  return true;
}

Kernel UrlDecode(bool is_try) {
  return [is_try](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn text(args[0]);
    std::string bytes;
    return ComputeText(context, args, rows, arrow::utf8(), text.ByteSize(rows),
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         if (!Unescape(text[row], &bytes)) {
                           if (is_try) return false;
                           return MakeError(
                               ErrorKind::kJobFailed, "CANNOT_DECODE_URL",
                               fmt::format("The provided URL cannot be decoded: {}. Please ensure "
                                           "that the URL is properly formatted and try again.",
                                           text[row]));
                         }
                         ARROW_RETURN_NOT_OK(AppendValidUtf8(bytes, out));
                         return true;
                       });
  };
}

// NOLINTNEXTLINE(readability-function-size): a row of the table of functions
void Add(FunctionCatalog* catalog, const std::string& name, std::string_view params, int count,
         Kernel kernel) {
  catalog->Add(FromSignature({.name = name,
                              .usage = fmt::format("{}({})", name, params),
                              .params = std::vector<TypePtr>(count, arrow::utf8()),
                              .required = count == 3 ? 2 : count,
                              .result = arrow::utf8(),
                              .kernel = std::move(kernel)}));
}

}  // namespace

void AddUrlFunctions(FunctionCatalog* catalog) {
  Add(catalog, "parse_url", "url, partToExtract[, key]", 3, ParseUrl(false));
  Add(catalog, "try_parse_url", "url, partToExtract[, key]", 3, ParseUrl(true));
  Add(catalog, "url_encode", "str", 1, UrlEncode);
  Add(catalog, "url_decode", "str", 1, UrlDecode(false));
  Add(catalog, "try_url_decode", "str", 1, UrlDecode(true));
}

}  // namespace tidemill
