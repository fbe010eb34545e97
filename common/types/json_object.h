#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tidemill {

// Appends a JSON object to a text member by member: `{"a":1,"b":{...}}`. Begun by the constructor,
// ended by End; nested objects are begun on the text that Key returns and ended before the next
// member. *Thread-compatible.*
class JsonObject {
 public:
  // `out` must outlive this.
  explicit JsonObject(std::string* out) : out_(out) { out_->push_back('{'); }

  // Begins a member; the caller appends its value to the text returned.
  std::string* Key(std::string_view key);
  void Text(std::string_view key, std::string_view value);
  void Number(std::string_view key, int64_t value);
  void Double(std::string_view key, double value);  // finite
  void Null(std::string_view key);
  // JSON text as it is; null where it is empty.
  void Json(std::string_view key, std::string_view json);
  // An array of `size` elements; `append` appends the i-th to the text.
  void Array(std::string_view key, size_t size, const std::function<void(size_t)>& append);
  // ISO 8601 UTC with milliseconds, of microseconds since 1970 (what is below is cut).
  void Time(std::string_view key, int64_t micros);
  void End() { out_->push_back('}'); }

 private:
  std::string* const out_;
  bool is_first_ = true;
};

}  // namespace tidemill
