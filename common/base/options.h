#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// The options of one source or sink, as the user wrote them. Keys are case-insensitive, as Spark's.
// Getters parse; a bad value is INVALID_OPTION_VALUE (kInvalid) naming the option.
// *Thread-compatible.*
class Options {
 public:
  Options() = default;

  void Set(std::string key, std::string value);  // the last one wins
  bool Has(std::string_view key) const;
  std::optional<std::string> Find(std::string_view key) const;
  std::string GetString(std::string_view key, std::string_view fallback) const;
  arrow::Result<int64_t> GetInt(std::string_view key, int64_t fallback, int64_t lowest,
                                int64_t highest) const;
  arrow::Result<bool> GetBool(std::string_view key, bool fallback) const;
  // "128m", "1g", "4096": bytes.
  arrow::Result<int64_t> GetBytes(std::string_view key, int64_t fallback) const;
  // "5 seconds", "1 minute", "250ms", "1 hour 30 minutes": microseconds. A number without a unit is
  // in `bare_unit`, or an error where that is "".
  arrow::Result<int64_t> GetDurationMicros(std::string_view key, int64_t fallback,
                                           std::string_view bare_unit = "") const;
  // Errors: UNKNOWN_OPTION, naming the nearest of `known` for the first key that is not in it.
  arrow::Status RequireKnown(const std::vector<std::string_view>& known,
                             std::string_view format) const;

  // For an option that Spark has and we have not: UNSUPPORTED_OPTION where `key` is there with
  // another value than `only`, the one that changes nothing ("" where every value does).
  arrow::Status RequireOnly(std::string_view key, std::string_view only,
                            std::string_view format) const;

  // Keys in lower case with values, in key order: for plans and fingerprints.
  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace tidemill
