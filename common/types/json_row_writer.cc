#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"
#include "common/types/json_value_writer.h"
#include "common/types/time_text.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

// What to do with a byte of a string.
enum : char {
  kPlain = 0,
  kControl = 1,  // \u00XX
  kMultiByte = 2,
  // any other: backslash and that letter
};

constexpr std::array<char, 256> MakeEscapes() {
  std::array<char, 256> escapes{};
  for (int c = 0; c < 0x20; ++c) escapes[c] = kControl;
  for (int c = 0x80; c < 0x100; ++c) escapes[c] = kMultiByte;
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  return escapes;
}

constexpr std::array<char, 256> kEscapes = MakeEscapes();

// The size of the well-formed UTF-8 sequence of several bytes at the start of `text`, 0 if there is
// none (overlong forms and surrogates are not well-formed).
size_t SequenceSize(std::string_view text) {
  auto byte = [&](size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

void AppendBase64(std::string_view bytes, std::string* out) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t size = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < size ? static_cast<unsigned char>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) *out += j <= size ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
}

// How to write the values of one column, resolved once: a function and what it needs.
struct JsonNode {
  using Write = void (*)(const JsonNode&, const arrow::ArrayData&, int64_t row, std::string*);

  Write write = nullptr;
  std::string key;                 // of a struct's field: "name":
  std::vector<JsonNode> children;  // of a list: the item; of a map: the value; of a struct: fields
  const TimeZone* zone = nullptr;  // null for TIMESTAMP_NTZ
  int32_t scale = 0;
  int column = 0;            // of a struct's field: its place in the struct
  bool keeps_nulls = false;  // of a struct: fields without a value are null
  bool sorts_keys = false;   // of a map
  bool shows_range = false;  // of INTERVAL DAY: as such, else with hours, minutes and seconds
  const DatetimePattern* pattern = nullptr;  // of a date or timestamp; nullptr: ISO 8601
};

void WriteOrNull(const JsonNode& node, const arrow::ArrayData& data, int64_t row,
                 std::string* out) {
  if (data.IsNull(row)) {
    *out += "null";
  } else {
    node.write(node, data, row, out);
  }
}

void WriteNull(const JsonNode&, const arrow::ArrayData&, int64_t, std::string* out) {
  *out += "null";
}

void WriteBoolean(const JsonNode&, const arrow::ArrayData& data, int64_t row, std::string* out) {
  *out += arrow::bit_util::GetBit(data.buffers[1]->data(), data.offset + row) ? "true" : "false";
}

template <class T>
void WriteInt(const JsonNode&, const arrow::ArrayData& data, int64_t row, std::string* out) {
  AppendIntText(data.GetValues<T>(1)[row], out);
}

void AppendFloating(double value, std::string* out) { AppendDoubleText(value, out); }
void AppendFloating(float value, std::string* out) { AppendFloatText(value, out); }

template <class T>
void WriteFloating(const JsonNode&, const arrow::ArrayData& data, int64_t row, std::string* out) {
  const T value = data.GetValues<T>(1)[row];
  const bool quoted = !std::isfinite(value);
  if (quoted) *out += '"';
  AppendFloating(value, out);
  if (quoted) *out += '"';
}

void WriteDecimal(const JsonNode& node, const arrow::ArrayData& data, int64_t row,
                  std::string* out) {
  const arrow::Decimal128 value(data.buffers[1]->data() + (data.offset + row) * 16);
  AppendDecimalText(value, node.scale, out);
}

std::string_view BytesAt(const arrow::ArrayData& data, int64_t row) {
  const auto* offsets = data.GetValues<int32_t>(1);
  return {data.GetValues<char>(2, 0) + offsets[row],
          static_cast<size_t>(offsets[row + 1] - offsets[row])};
}

void WriteString(const JsonNode&, const arrow::ArrayData& data, int64_t row, std::string* out) {
  AppendJsonString(BytesAt(data, row), out);
}

void WriteBinary(const JsonNode&, const arrow::ArrayData& data, int64_t row, std::string* out) {
  *out += '"';
  AppendBase64(BytesAt(data, row), out);
  *out += '"';
}

void WritePattern(const JsonNode& node, int64_t micros, std::string* out) {
  std::string text;
  node.pattern->Format(micros, node.zone == nullptr ? *UtcTimeZone() : *node.zone, &text);
  AppendJsonString(text, out);
}

void WriteDate(const JsonNode& node, const arrow::ArrayData& data, int64_t row, std::string* out) {
  const int32_t days = data.GetValues<int32_t>(1)[row];
  if (node.pattern != nullptr) return WritePattern(node, days * kMicrosPerDay, out);
  *out += '"';
  AppendDateText(days, out);
  *out += '"';
}

void WriteTimestamp(const JsonNode& node, const arrow::ArrayData& data, int64_t row,
                    std::string* out) {
  const int64_t micros = data.GetValues<int64_t>(1)[row];
  if (node.pattern != nullptr) return WritePattern(node, micros, out);
  const int64_t seconds = FloorDiv(micros, kMicrosPerSecond);
  const auto fraction = static_cast<uint32_t>(micros - seconds * kMicrosPerSecond);
  const int32_t offset = node.zone == nullptr ? 0 : UtcOffsetSeconds(*node.zone, micros);
  *out += '"';
  AppendDateTimeText(seconds + offset, 'T', out);
  *out += '.';
  AppendPadded(fraction / 1000, 3, out);
  if (node.zone != nullptr) AppendOffsetText(offset, out);
  *out += '"';
}

// Interval texts need no zone. A row of Spark's has forgotten that an interval has days only.
void WriteInterval(const JsonNode& node, const arrow::ArrayData& data, int64_t row,
                   std::string* out) {
  *out += '"';
  if (!node.shows_range && IsDayInterval(*data.type)) {
    AppendIntervalText(data.GetValues<int64_t>(1)[row] * kMicrosPerSecond, kDayToSecond, out);
  } else {
    AppendCastText(data, row, *UtcTimeZone(), TextStyle::kCast, out);
  }
  *out += '"';
}

// A map's key as Spark's JSON has it: the value as it is inside, days of a date, microseconds of a
// timestamp.
void AppendKeyText(const arrow::ArrayData& data, int64_t row, std::string* out) {
  if (data.IsNull(row)) {
    *out += "null";
    return;
  }
  switch (data.type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      *out += BytesAt(data, row);
      return;
    case arrow::Type::DATE32:
    case arrow::Type::INTERVAL_MONTHS:
      return AppendIntText(data.GetValues<int32_t>(1)[row], out);
    case arrow::Type::TIMESTAMP:
      return AppendIntText(data.GetValues<int64_t>(1)[row], out);
    case arrow::Type::DURATION: {
      const int64_t unit = IsDayInterval(*data.type) ? kMicrosPerSecond : 1;
      return AppendIntText(data.GetValues<int64_t>(1)[row] * unit, out);
    }
    case arrow::Type::LIST: {
      const auto* offsets = data.GetValues<int32_t>(1);
      *out += '[';
      for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
        if (i > offsets[row]) *out += ',';
        AppendKeyText(*data.child_data[0], i, out);
      }
      *out += ']';
      return;
    }
    case arrow::Type::STRUCT: {
      *out += '[';
      for (size_t i = 0; i < data.child_data.size(); ++i) {
        if (i > 0) *out += ',';
        AppendKeyText(*data.child_data[i], data.offset + row, out);
      }
      *out += ']';
      return;
    }
    default:
      AppendCastText(data, row, *UtcTimeZone(), TextStyle::kCast, out);
  }
}

void WriteList(const JsonNode& node, const arrow::ArrayData& data, int64_t row, std::string* out) {
  const auto* offsets = data.GetValues<int32_t>(1);
  *out += '[';
  for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    if (i > offsets[row]) *out += ',';
    WriteOrNull(node.children[0], *data.child_data[0], i, out);
  }
  *out += ']';
}

void WriteEntry(const JsonNode& node, std::string_view key, const arrow::ArrayData& values,
                int64_t entry, std::string* out) {
  AppendJsonString(key, out);
  *out += ':';
  WriteOrNull(node.children[0], values, entry, out);
}

void WriteMap(const JsonNode& node, const arrow::ArrayData& data, int64_t row, std::string* out) {
  const auto* offsets = data.GetValues<int32_t>(1);
  const arrow::ArrayData& entries = *data.child_data[0];
  const arrow::ArrayData& keys = *entries.child_data[0];
  const arrow::ArrayData& values = *entries.child_data[1];
  const bool has_texts = keys.type->id() == arrow::Type::STRING && !node.sorts_keys;
  std::vector<std::pair<std::string, int64_t>> texts;
  *out += '{';
  for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    const int64_t entry = entries.offset + i;
    if (has_texts) {
      if (i > offsets[row]) *out += ',';
      WriteEntry(node, BytesAt(keys, entry), values, entry, out);
    } else {
      AppendKeyText(keys, entry, &texts.emplace_back("", entry).first);
    }
  }
  if (node.sorts_keys) std::stable_sort(texts.begin(), texts.end());
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) *out += ',';
    WriteEntry(node, texts[i].first, values, texts[i].second, out);
  }
  *out += '}';
}

// `row` counts from the offsets of the columns.
void WriteFields(const std::vector<JsonNode>& nodes, const arrow::ArrayDataVector& columns,
                 int64_t row, bool keeps_nulls, std::string* out) {
  char before = '{';
  for (const JsonNode& node : nodes) {
    const arrow::ArrayData& column = *columns[node.column];
    if (!keeps_nulls && column.IsNull(row)) continue;
    *out += before;
    *out += node.key;
    WriteOrNull(node, column, row, out);
    before = ',';
  }
  if (before == '{') *out += '{';
  *out += '}';
}

void WriteStruct(const JsonNode& node, const arrow::ArrayData& data, int64_t row,
                 std::string* out) {
  WriteFields(node.children, data.child_data, data.offset + row, node.keeps_nulls, out);
}

JsonNode::Write WriterOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return WriteBoolean;
    case arrow::Type::INT8:
      return WriteInt<int8_t>;
    case arrow::Type::INT16:
      return WriteInt<int16_t>;
    case arrow::Type::INT32:
      return WriteInt<int32_t>;
    case arrow::Type::INT64:
      return WriteInt<int64_t>;
    case arrow::Type::FLOAT:
      return WriteFloating<float>;
    case arrow::Type::DOUBLE:
      return WriteFloating<double>;
    case arrow::Type::DECIMAL128:
      return WriteDecimal;
    case arrow::Type::STRING:
      return WriteString;
    case arrow::Type::BINARY:
      return WriteBinary;
    case arrow::Type::DATE32:
      return WriteDate;
    case arrow::Type::TIMESTAMP:
      return WriteTimestamp;
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::DURATION:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return WriteInterval;
    case arrow::Type::LIST:
      return WriteList;
    case arrow::Type::MAP:
      return WriteMap;
    case arrow::Type::STRUCT:
      return WriteStruct;
    default:
      TIDEMILL_CHECK(type.id() == arrow::Type::NA);
      return WriteNull;
  }
}

JsonNode NodeOf(const arrow::DataType& type, const TimeZone& zone, const JsonTextOptions* options);

// `options`: nullptr for rows.
std::vector<JsonNode> FieldNodes(const arrow::FieldVector& fields, const TimeZone& zone,
                                 const JsonTextOptions* options) {
  std::vector<JsonNode> nodes;
  for (const auto& field : fields) {
    JsonNode& node = nodes.emplace_back(NodeOf(*field->type(), zone, options));
    node.column = static_cast<int>(nodes.size()) - 1;
    AppendJsonString(field->name(), &node.key);
    node.key += ':';
  }
  if (options != nullptr && options->sorts_keys) {
    std::stable_sort(nodes.begin(), nodes.end(), [&](const JsonNode& a, const JsonNode& b) {
      return fields[a.column]->name() < fields[b.column]->name();
    });
  }
  return nodes;
}

JsonNode NodeOf(const arrow::DataType& type, const TimeZone& zone, const JsonTextOptions* options) {
  JsonNode node;
  node.write = WriterOf(type);
  const bool is_timestamp = type.id() == arrow::Type::TIMESTAMP;
  const bool is_date = type.id() == arrow::Type::DATE32;
  if (!is_date && (!is_timestamp || IsInstantType(type))) node.zone = &zone;
  if (options != nullptr) {
    node.keeps_nulls = options->keeps_nulls;
    node.sorts_keys = options->sorts_keys;
    node.shows_range = true;
    if (is_date) node.pattern = options->date.get();
    if (is_timestamp) {
      node.pattern = (node.zone ? options->timestamp : options->timestamp_ntz).get();
    }
  }
  if (type.id() == arrow::Type::DECIMAL128)
    node.scale = static_cast<const arrow::DecimalType&>(type).scale();
  if (type.id() == arrow::Type::STRUCT) node.children = FieldNodes(type.fields(), zone, options);
  if (type.id() == arrow::Type::LIST) {
    const auto& list = static_cast<const arrow::ListType&>(type);
    node.children.push_back(NodeOf(*list.value_type(), zone, options));
  }
  if (type.id() == arrow::Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(type);
    node.children.push_back(NodeOf(*map.item_type(), zone, options));
  }
  return node;
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  size_t done = 0;
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[byte];
    if (escape == kPlain) {
      ++i;
      continue;
    }
    if (escape == kMultiByte) {
      if (const size_t size = SequenceSize(text.substr(i)); size > 0) {
        i += size;
        continue;
      }
    }
    out->append(text, done, i - done);
    if (escape == kMultiByte) {
      *out += "\xEF\xBF\xBD";  // U+FFFD
    } else if (escape == kControl) {
      *out += "\\u00";
      *out += kHexDigits[byte >> 4];
      *out += kHexDigits[byte & 15];
    } else {
      *out += '\\';
      *out += escape;
    }
    done = ++i;
  }
  out->append(text, done, text.size() - done);
  *out += '"';
}

struct JsonValueWriter::Impl {
  JsonTextOptions options;
  JsonNode node;
};

JsonValueWriter::JsonValueWriter(const arrow::DataType& type, const TimeZone& zone,
                                 JsonTextOptions options)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->node = NodeOf(type, zone, &impl_->options);
}
JsonValueWriter::~JsonValueWriter() = default;

void JsonValueWriter::Append(const arrow::ArrayData& data, int64_t row, std::string* out) const {
  impl_->node.write(impl_->node, data, row, out);
}

struct JsonRowWriter::Impl {
  std::shared_ptr<const TimeZone> zone;
  std::vector<JsonNode> columns;
};

JsonRowWriter::JsonRowWriter(const std::shared_ptr<arrow::Schema>& schema,
                             std::shared_ptr<const TimeZone> zone)
    : impl_(std::make_unique<Impl>()) {
  impl_->zone = std::move(zone);
  impl_->columns = FieldNodes(schema->fields(), *impl_->zone, nullptr);
}

JsonRowWriter::~JsonRowWriter() = default;

void JsonRowWriter::AppendRow(const arrow::RecordBatch& batch, int64_t row,
                              std::string* out) const {
  const arrow::ArrayDataVector& columns = batch.column_data();
  TIDEMILL_CHECK(columns.size() == impl_->columns.size());
  WriteFields(impl_->columns, columns, row, /*keeps_nulls=*/false, out);
}

}  // namespace tidemill
