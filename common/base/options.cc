#include "common/base/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/error.h"

namespace tidemill {

namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

arrow::Status BadValue(std::string_view key, std::string_view value, std::string_view rule) {
  return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                   fmt::format("option {}: {}: value={}", key, rule, value));
}

// Takes a decimal number off the front of `text`.
bool TakeNumber(std::string_view* text, int64_t* out) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *out);
  if (error != std::errc()) return false;
  text->remove_prefix(end - text->data());
  return true;
}

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr std::array<Unit, 28> kDurations = {{
    {"us", 1},
    {"microsecond", 1},
    {"microseconds", 1},
    {"ms", 1000},
    {"msec", 1000},
    {"millisecond", 1000},
    {"milliseconds", 1000},
    {"s", 1'000'000},
    {"sec", 1'000'000},
    {"secs", 1'000'000},
    {"second", 1'000'000},
    {"seconds", 1'000'000},
    {"m", 60'000'000},
    {"min", 60'000'000},
    {"mins", 60'000'000},
    {"minute", 60'000'000},
    {"minutes", 60'000'000},
    {"h", 3'600'000'000},
    {"hr", 3'600'000'000},
    {"hour", 3'600'000'000},
    {"hours", 3'600'000'000},
    {"d", 86'400'000'000},
    {"day", 86'400'000'000},
    {"days", 86'400'000'000},
    {"w", 604'800'000'000},
    {"week", 604'800'000'000},
    {"weeks", 604'800'000'000},
    {"microsec", 1},
}};

constexpr std::array<Unit, 14> kSizes = {{
    {"", 1},
    {"b", 1},
    {"k", int64_t{1} << 10},
    {"kb", int64_t{1} << 10},
    {"kib", int64_t{1} << 10},
    {"m", int64_t{1} << 20},
    {"mb", int64_t{1} << 20},
    {"mib", int64_t{1} << 20},
    {"g", int64_t{1} << 30},
    {"gb", int64_t{1} << 30},
    {"gib", int64_t{1} << 30},
    {"t", int64_t{1} << 40},
    {"tb", int64_t{1} << 40},
    {"p", int64_t{1} << 50},
}};

template <size_t N>
const Unit* FindUnit(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

bool MultiplyAdd(int64_t number, int64_t factor, int64_t* sum) {
  int64_t product;
  return !__builtin_mul_overflow(number, factor, &product) &&
         !__builtin_add_overflow(*sum, product, sum);
}

}  // namespace

void Options::Set(std::string key, std::string value) {
  for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  values_.insert_or_assign(std::move(key), std::move(value));
}

bool Options::Has(std::string_view key) const { return values_.count(AsciiLower(key)) != 0; }

std::optional<std::string> Options::Find(std::string_view key) const {
  const auto found = values_.find(AsciiLower(key));
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::string Options::GetString(std::string_view key, std::string_view fallback) const {
  return Find(key).value_or(std::string(fallback));
}

arrow::Result<int64_t> Options::GetInt(std::string_view key, int64_t fallback, int64_t lowest,
                                       int64_t highest) const {
  const auto value = Find(key);
  if (!value) return fallback;
  std::string_view text = Trim(*value);
  int64_t number = 0;
  const bool is_number = TakeNumber(&text, &number) && text.empty();
  if (is_number && number >= lowest && number <= highest) return number;
  const std::string rule =
      highest == std::numeric_limits<int64_t>::max()
          ? fmt::format("must be a whole number of at least {}", lowest)
          : fmt::format("must be a whole number from {} to {}", lowest, highest);
  return BadValue(key, *value, rule);
}

arrow::Result<bool> Options::GetBool(std::string_view key, bool fallback) const {
  const auto value = Find(key);
  if (!value) return fallback;
  const std::string text = AsciiLower(Trim(*value));
  if (text == "true") return true;
  if (text == "false") return false;
  return BadValue(key, *value, "must be true or false");
}

arrow::Result<int64_t> Options::GetBytes(std::string_view key, int64_t fallback) const {
  const auto value = Find(key);
  if (!value) return fallback;
  const std::string lower = AsciiLower(Trim(*value));
  std::string_view text = lower;
  int64_t number = 0;
  int64_t bytes = 0;
  if (TakeNumber(&text, &number) && number >= 0) {
    const Unit* unit = FindUnit(kSizes, Trim(text));
    if (unit != nullptr && MultiplyAdd(number, unit->factor, &bytes)) return bytes;
  }
  return BadValue(key, *value, "must be a size such as 4096, 64k, 128m or 1g");
}

arrow::Result<int64_t> Options::GetDurationMicros(std::string_view key, int64_t fallback,
                                                  std::string_view bare_unit) const {
  const auto value = Find(key);
  if (!value) return fallback;
  const std::string lower = AsciiLower(Trim(*value));
  std::string_view text = lower;
  if (text.substr(0, 9) == "interval ") text = Trim(text.substr(9));
  int64_t total = 0;
  bool is_valid = !text.empty();
  while (is_valid && !text.empty()) {
    int64_t number = 0;
    is_valid = TakeNumber(&text, &number) && number >= 0;
    if (!is_valid) break;
    text = Trim(text);
    size_t length = 0;
    while (length < text.size() && std::isalpha(static_cast<unsigned char>(text[length]))) ++length;
    const std::string_view name = length == 0 && text.empty() ? bare_unit : text.substr(0, length);
    const Unit* unit = FindUnit(kDurations, name);
    is_valid = unit != nullptr && MultiplyAdd(number, unit->factor, &total);
    text = Trim(text.substr(length));
  }
  if (is_valid) return total;
  return BadValue(key, *value, "must be a duration such as 250ms, 5 seconds or 7d");
}

arrow::Status Options::RequireKnown(const std::vector<std::string_view>& known,
                                    std::string_view format) const {
  for (const auto& option : values_) {
    const std::string& key = option.first;
    const bool is_known = std::any_of(
        known.begin(), known.end(), [&](std::string_view name) { return AsciiLower(name) == key; });
    if (is_known) continue;
    const auto status = MakeError(ErrorKind::kInvalid, "UNKNOWN_OPTION",
                                  fmt::format("unknown option of {}: key={}", format, key));
    const std::string nearest = NearestName(key, known);
    return nearest.empty() ? status : WithHint(status, fmt::format("did you mean {}?", nearest));
  }
  return arrow::Status::OK();
}

arrow::Status Options::RequireOnly(std::string_view key, std::string_view only,
                                   std::string_view format) const {
  const auto value = Find(key);
  if (!value || (!only.empty() && AsciiLower(*value) == AsciiLower(only)))
    return arrow::Status::OK();
  const auto status = MakeError(
      ErrorKind::kInvalid, "UNSUPPORTED_OPTION",
      fmt::format("option of {} is not supported yet: key={} value={}", format, key, *value));
  return only.empty() ? status
                      : WithHint(status, fmt::format("only {}={} is supported", key, only));
}

}  // namespace tidemill
