#include "common/types/json_object.h"

#include "common/types/civil_time.h"
#include "common/types/time_text.h"
#include "common/types/value_format.h"

namespace tidemill {

std::string* JsonObject::Key(std::string_view key) {
  if (!is_first_) out_->push_back(',');
  is_first_ = false;
  AppendJsonString(key, out_);
  out_->push_back(':');
  return out_;
}

void JsonObject::Text(std::string_view key, std::string_view value) {
  AppendJsonString(value, Key(key));
}

void JsonObject::Number(std::string_view key, int64_t value) { AppendIntText(value, Key(key)); }

void JsonObject::Double(std::string_view key, double value) { AppendDoubleText(value, Key(key)); }

void JsonObject::Null(std::string_view key) { Key(key)->append("null"); }

void JsonObject::Json(std::string_view key, std::string_view json) {
  Key(key)->append(json.empty() ? "null" : json);
}

void JsonObject::Array(std::string_view key, size_t size,
                       const std::function<void(size_t)>& append) {
  Key(key)->push_back('[');
  for (size_t i = 0; i < size; ++i) {
    if (i > 0) out_->push_back(',');
    append(i);
  }
  out_->push_back(']');
}

void JsonObject::Time(std::string_view key, int64_t micros) {
  const int64_t seconds = FloorDiv(micros, kMicrosPerSecond);
  std::string* out = Key(key);
  out->push_back('"');
  AppendDateTimeText(seconds, 'T', out);
  out->push_back('.');
  AppendPadded(static_cast<uint32_t>((micros - seconds * kMicrosPerSecond) / 1000), 3, out);
  out->append("Z\"");
}

}  // namespace tidemill
