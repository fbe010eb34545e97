#include "connectors/file/sink/sink_manifest.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "common/base/error.h"
#include "common/base/hash.h"

namespace tidemill::connectors {

namespace {

constexpr std::string_view kHeader = "tidemill-manifest 1\n";
constexpr std::string_view kChecksum = "checksum ";
constexpr size_t kHashDigits = 16;

// Takes the parts of a manifest one after another; false at the first that is not as expected.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  bool Skip(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  template <class Number>
  bool Take(Number* out, int base = 10) {
    const auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), *out, base);
    if (error != std::errc()) return false;
    rest_.remove_prefix(end - rest_.data());
    return true;
  }
  // A relative name without line breaks, up to `end`.
  bool TakeName(char end, std::string* out) {
    const size_t length = rest_.find(end);
    if (length == std::string_view::npos || length == 0) return false;
    *out = rest_.substr(0, length);
    rest_.remove_prefix(length + 1);
    return out->front() != '/' && out->find("..") == std::string::npos;
  }
  bool is_at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool ParseBody(std::string_view body, SinkManifest* manifest) {
  Parser parser(body);
  const bool has_head = parser.Skip(kHeader) && parser.Skip("epoch ") &&
                        parser.Take(&manifest->epoch) && parser.Skip("\nplan_hash ") &&
                        parser.Take(&manifest->plan_hash, 16) && parser.Skip("\nterm ") &&
                        parser.Take(&manifest->term) && parser.Skip("\nattempt ") &&
                        parser.Take(&manifest->attempt) && parser.Skip("\n");
  if (!has_head) return false;
  while (!parser.is_at_end()) {
    ManifestFile file;
    if (!parser.Skip("file ") || !parser.Take(&file.size) || !parser.Skip(" ") ||
        !parser.Take(&file.rows) || !parser.Skip(" ") || !parser.Take(&file.checksum, 16) ||
        !parser.Skip(" ") || !parser.TakeName(' ', &file.staged_name) ||
        !parser.TakeName('\n', &file.final_name)) {
      return false;
    }
    manifest->files.push_back(std::move(file));
  }
  return true;
}

}  // namespace

std::string EncodeManifest(const SinkManifest& manifest) {
  std::string text =
      fmt::format("{}epoch {}\nplan_hash {}\nterm {}\nattempt {}\n", kHeader, manifest.epoch,
                  HexOf(manifest.plan_hash), manifest.term, manifest.attempt);
  for (const ManifestFile& file : manifest.files) {
    fmt::format_to(std::back_inserter(text), "file {} {} {} {} {}\n", file.size, file.rows,
                   HexOf(file.checksum), file.staged_name, file.final_name);
  }
  return fmt::format("{}{}{}\n", text, kChecksum, HexOf(Hash64(text)));
}

arrow::Result<SinkManifest> DecodeManifest(std::string_view text, std::string_view path) {
  const auto corrupt = [&](std::string_view what) {
    return MakeError(ErrorKind::kCorrupt, "CORRUPT_SINK_MANIFEST",
                     fmt::format("sink manifest is corrupt: {}: path={}", what, path));
  };
  const size_t tail = kChecksum.size() + kHashDigits + 1;
  if (text.size() < tail || text.back() != '\n') return corrupt("cut short");
  const std::string_view body = text.substr(0, text.size() - tail);
  const std::string_view last = text.substr(body.size());
  if (last.substr(0, kChecksum.size()) != kChecksum) return corrupt("no checksum");
  const std::string_view expected = last.substr(kChecksum.size(), kHashDigits);
  const std::string actual = HexOf(Hash64(body));
  if (expected != actual) {
    return corrupt(fmt::format("checksum differs: expected={} actual={}", expected, actual));
  }
  SinkManifest manifest;
  if (!ParseBody(body, &manifest)) return corrupt("unknown format");
  return manifest;
}

}  // namespace tidemill::connectors
