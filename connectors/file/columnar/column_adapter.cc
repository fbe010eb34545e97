#include "connectors/file/columnar/column_adapter.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/error.h"
#include "common/types/ddl.h"

namespace tidemill::connectors {

namespace {

using arrow::Type;
using TypePointer = std::shared_ptr<arrow::DataType>;
using ArrayPointer = std::shared_ptr<arrow::Array>;

bool IsInteger(Type::type id) { return id >= Type::UINT8 && id <= Type::INT64; }

// Bits of a signed integer; an unsigned one needs those of the next larger.
int SignedBits(Type::type id) {
  switch (id) {
    case Type::INT8:
      return 8;
    case Type::UINT8:
    case Type::INT16:
      return 16;
    case Type::UINT16:
    case Type::INT32:
      return 32;
    case Type::UINT32:
    case Type::INT64:
      return 64;
    default:
      return 128;
  }
}

// Decimal digits that hold every integer of the type.
int DigitsOf(Type::type id) {
  const int bits = SignedBits(id);
  return bits == 8 ? 3 : bits == 16 ? 5 : bits == 32 ? 10 : 20;
}

bool IsString(Type::type id) {
  return id == Type::STRING || id == Type::LARGE_STRING || id == Type::STRING_VIEW;
}
bool IsBinary(Type::type id) {
  return id == Type::BINARY || id == Type::LARGE_BINARY || id == Type::BINARY_VIEW ||
         id == Type::FIXED_SIZE_BINARY;
}

// Spark's mark of what ORC has no type for.
bool IsMarkedNtz(const arrow::Field& field) {
  if (field.metadata() == nullptr) return false;
  const auto mark = field.metadata()->Get("spark.sql.catalyst.type");
  return mark.ok() && *mark == "timestamp_ntz";
}

arrow::Status Unsupported(const arrow::Field& field) {
  return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATATYPE",
                   fmt::format("column has a type that is not supported: column={} type={}",
                               field.name(), field.type()->ToString()));
}

arrow::Result<TypePointer> DecimalTypeOf(const arrow::Field& field) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(*field.type());
  if (decimal.precision() > 38 || decimal.scale() < 0) return Unsupported(field);
  return arrow::decimal128(decimal.precision(), decimal.scale());
}

// Whether values of `from` become `to` without loss, by type alone. Structs, lists and maps are
// looked into by the caller.
bool IsWidening(const arrow::DataType& from, const arrow::DataType& to) {
  const Type::type id = to.id();
  if (from.id() == Type::DICTIONARY) {
    return IsWidening(*static_cast<const arrow::DictionaryType&>(from).value_type(), to);
  }
  if (from.id() == Type::NA) return true;
  if (id == Type::STRING || id == Type::BINARY) return IsString(from.id()) || IsBinary(from.id());
  if (IsInteger(from.id())) {
    if (IsInteger(id)) return SignedBits(from.id()) <= SignedBits(id);
    if (id == Type::DOUBLE) return SignedBits(from.id()) <= 32;
    if (id != Type::DECIMAL128) return false;
    const auto& decimal = static_cast<const arrow::DecimalType&>(to);
    return decimal.precision() - decimal.scale() >= DigitsOf(from.id());
  }
  if (id == Type::DOUBLE || id == Type::FLOAT) {
    return from.id() == id || from.id() == Type::HALF_FLOAT ||
           (from.id() == Type::FLOAT && id == Type::DOUBLE);
  }
  if (arrow::is_decimal(from.id()) && id == Type::DECIMAL128) {
    const auto& old_type = static_cast<const arrow::DecimalType&>(from);
    const auto& new_type = static_cast<const arrow::DecimalType&>(to);
    return new_type.scale() >= old_type.scale() &&
           new_type.precision() - new_type.scale() >= old_type.precision() - old_type.scale();
  }
  // As Spark 4 does, an instant is read as UTC wall-clock time and the reverse.
  if (id == Type::TIMESTAMP) {
    return from.id() == Type::TIMESTAMP || (from.id() == Type::DATE32 && !IsInstantType(to));
  }
  if (id == Type::DATE32) return from.id() == Type::DATE32 || from.id() == Type::DATE64;
  return from.id() == id;
}

// The field of a name; -1 for none.
arrow::Result<int> FindField(const arrow::FieldVector& fields, const std::string& name) {
  int found = -1;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!EqualsIgnoringCase(fields[i]->name(), name)) continue;
    if (found >= 0) {
      return MakeError(ErrorKind::kJobFailed, "DUPLICATED_FIELD_NAME",
                       fmt::format("a column name fits several columns of the file, whatever its "
                                   "case: name={}",
                                   name));
    }
    found = static_cast<int>(i);
  }
  return found;
}

arrow::Status CheckTypes(const arrow::Field& from, const arrow::DataType& to,
                         std::string_view format) {
  const arrow::DataType& type = *from.type();
  const auto mismatch = [&] {
    const bool is_parquet = format == "parquet";
    return MakeError(
        ErrorKind::kJobFailed,
        is_parquet ? "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH"
                   : "FAILED_READ_FILE.ORC_COLUMN_DATA_TYPE_MISMATCH",
        fmt::format("Data type mismatches when reading {} column {}. Expected type "
                    "{}, actual type {}.",
                    is_parquet ? "Parquet" : "ORC", from.name(), SqlTypeName(to), type.ToString()));
  };
  switch (to.id()) {
    case Type::STRUCT:
      if (type.id() != Type::STRUCT) return mismatch();
      for (const auto& field : to.fields()) {
        ARROW_ASSIGN_OR_RAISE(const int child, FindField(type.fields(), field->name()));
        if (child < 0) continue;
        ARROW_RETURN_NOT_OK(CheckTypes(*type.field(child), *field->type(), format));
      }
      return arrow::Status::OK();
    case Type::LIST:
      if (type.id() != Type::LIST && type.id() != Type::LARGE_LIST &&
          type.id() != Type::FIXED_SIZE_LIST) {
        return mismatch();
      }
      return CheckTypes(*type.field(0), *to.field(0)->type(), format);
    case Type::MAP: {
      if (type.id() != Type::MAP) return mismatch();
      const auto& old_map = static_cast<const arrow::MapType&>(type);
      const auto& new_map = static_cast<const arrow::MapType&>(to);
      ARROW_RETURN_NOT_OK(CheckTypes(*old_map.key_field(), *new_map.key_type(), format));
      return CheckTypes(*old_map.item_field(), *new_map.item_type(), format);
    }
    default: {
      const bool is_ntz = to.id() == Type::TIMESTAMP && type.id() == Type::INT64 &&
                          !IsInstantType(to) && IsMarkedNtz(from);
      return is_ntz || IsWidening(type, to) ? arrow::Status::OK() : mismatch();
    }
  }
}

// The same buffers under another type, children replaced.
ArrayPointer WithType(const ArrayPointer& array, const TypePointer& type,
                      const arrow::ArrayVector& children) {
  auto data = array->data()->Copy();
  data->type = type;
  data->child_data.clear();
  for (const ArrayPointer& child : children) data->child_data.push_back(child->data());
  return arrow::MakeArray(data);
}

// Micros of a timestamp in other units; what is below is cut towards the past.
arrow::Result<ArrayPointer> ToMicros(const ArrayPointer& array, const TypePointer& to,
                                     arrow::MemoryPool* pool) {
  const auto unit = static_cast<const arrow::TimestampType&>(*array->type()).unit();
  if (unit == arrow::TimeUnit::MICRO) return WithType(array, to, {});
  if (unit != arrow::TimeUnit::NANO) {
    arrow::compute::ExecContext context(pool);
    const auto& zone = static_cast<const arrow::TimestampType&>(*array->type()).timezone();
    ARROW_ASSIGN_OR_RAISE(
        const auto micros,
        arrow::compute::Cast(*array, arrow::timestamp(arrow::TimeUnit::MICRO, zone),
                             arrow::compute::CastOptions::Safe(), &context));
    return WithType(micros, to, {});
  }
  const auto& nanos = static_cast<const arrow::TimestampArray&>(*array);
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> values,
      arrow::AllocateBuffer((nanos.offset() + nanos.length()) * sizeof(int64_t), pool));
  auto* const out = reinterpret_cast<int64_t*>(values->mutable_data());
  std::fill_n(out, nanos.offset(), 0);
  for (int64_t i = 0; i < nanos.length(); ++i) {
    const int64_t value = nanos.Value(i);
    out[nanos.offset() + i] = value / 1000 - (value % 1000 < 0 ? 1 : 0);
  }
  auto data = array->data()->Copy();
  data->type = to;
  data->buffers[1] = std::move(values);
  return arrow::MakeArray(data);
}

arrow::Result<ArrayPointer> Convert(const ArrayPointer& array, const TypePointer& to,
                                    arrow::MemoryPool* pool);

arrow::Result<ArrayPointer> ConvertStruct(const ArrayPointer& array, const TypePointer& to,
                                          arrow::MemoryPool* pool) {
  arrow::ArrayVector children;
  const int64_t length = array->offset() + array->length();
  for (const auto& field : to->fields()) {
    ARROW_ASSIGN_OR_RAISE(const int child, FindField(array->type()->fields(), field->name()));
    if (child < 0) {
      ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(field->type(), length, pool));
      children.push_back(std::move(nulls));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(
        auto converted,
        Convert(arrow::MakeArray(array->data()->child_data[child]), field->type(), pool));
    children.push_back(std::move(converted));
  }
  return WithType(array, to, children);
}

arrow::Result<ArrayPointer> ConvertMap(const ArrayPointer& array, const TypePointer& to,
                                       arrow::MemoryPool* pool) {
  const auto& map = static_cast<const arrow::MapType&>(*to);
  const ArrayPointer entries = arrow::MakeArray(array->data()->child_data[0]);
  ARROW_ASSIGN_OR_RAISE(
      auto keys, Convert(arrow::MakeArray(entries->data()->child_data[0]), map.key_type(), pool));
  ARROW_ASSIGN_OR_RAISE(
      auto items, Convert(arrow::MakeArray(entries->data()->child_data[1]), map.item_type(), pool));
  return WithType(array, to, {WithType(entries, map.value_type(), {keys, items})});
}

// The types were checked before.
arrow::Result<ArrayPointer> Convert(const ArrayPointer& array, const TypePointer& to,
                                    arrow::MemoryPool* pool) {
  const Type::type from = array->type_id();
  if (to->id() == Type::STRUCT) return ConvertStruct(array, to, pool);
  if (to->id() == Type::MAP) return ConvertMap(array, to, pool);
  if (to->id() == Type::LIST && from == Type::LIST) {
    ARROW_ASSIGN_OR_RAISE(auto values, Convert(arrow::MakeArray(array->data()->child_data[0]),
                                               to->field(0)->type(), pool));
    return WithType(array, to, {values});
  }
  arrow::compute::ExecContext context(pool);
  auto options = arrow::compute::CastOptions::Safe();
  options.allow_invalid_utf8 = true;
  if (to->id() == Type::LIST) {
    const auto plain = arrow::list(array->type()->field(0));
    ARROW_ASSIGN_OR_RAISE(auto list, arrow::compute::Cast(*array, plain, options, &context));
    return Convert(list, to, pool);
  }
  if (to->id() == Type::TIMESTAMP && from != Type::DATE32) {
    return from == Type::INT64 ? WithType(array, to, {}) : ToMicros(array, to, pool);
  }
  if (array->type()->Equals(*to)) return array;
  return arrow::compute::Cast(*array, to, options, &context);
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::DataType>> EngineTypeOf(const arrow::Field& field,
                                                             std::string_view format) {
  const arrow::DataType& type = *field.type();
  const Type::type id = type.id();
  if (IsMarkedNtz(field) && id == Type::INT64) return TimestampNtzType();
  if (IsInteger(id)) {
    switch (SignedBits(id)) {
      case 8:
        return arrow::int8();
      case 16:
        return arrow::int16();
      case 32:
        return arrow::int32();
      case 64:
        return arrow::int64();
      default:
        return arrow::decimal128(20, 0);
    }
  }
  if (IsString(id)) return arrow::utf8();
  if (IsBinary(id)) return arrow::binary();
  if (arrow::is_decimal(id)) return DecimalTypeOf(field);
  switch (id) {
    case Type::BOOL:
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::DATE32:
      return field.type();
    case Type::HALF_FLOAT:
      return arrow::float32();
    case Type::DATE64:
      return arrow::date32();
    case Type::TIMESTAMP:
      return IsInstantType(type) || format == "orc" ? TimestampType() : TimestampNtzType();
    case Type::DICTIONARY:
      return EngineTypeOf(
          *field.WithType(static_cast<const arrow::DictionaryType&>(type).value_type()), format);
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST: {
      ARROW_ASSIGN_OR_RAISE(auto element, EngineTypeOf(*type.field(0), format));
      return arrow::list(std::move(element));
    }
    case Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      ARROW_ASSIGN_OR_RAISE(auto key, EngineTypeOf(*map.key_field(), format));
      ARROW_ASSIGN_OR_RAISE(auto item, EngineTypeOf(*map.item_field(), format));
      return arrow::map(std::move(key), std::move(item));
    }
    case Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& child : type.fields()) {
        ARROW_ASSIGN_OR_RAISE(auto child_type, EngineTypeOf(*child, format));
        fields.push_back(arrow::field(child->name(), std::move(child_type)));
      }
      return arrow::struct_(std::move(fields));
    }
    default:
      return Unsupported(field);
  }
}

arrow::Result<ColumnAdapter> ColumnAdapter::Make(const arrow::Schema& file,
                                                 std::shared_ptr<arrow::Schema> wanted,
                                                 std::string_view format) {
  ColumnAdapter adapter;
  std::vector<int> found;
  for (const auto& field : wanted->fields()) {
    ARROW_ASSIGN_OR_RAISE(const int index, FindField(file.fields(), field->name()));
    found.push_back(index);
    if (index < 0) continue;
    ARROW_RETURN_NOT_OK(CheckTypes(*file.field(index), *field->type(), format));
    adapter.fields_.push_back(index);
  }
  std::sort(adapter.fields_.begin(), adapter.fields_.end());
  for (const int index : found) {
    const auto at = std::find(adapter.fields_.begin(), adapter.fields_.end(), index);
    adapter.place_.push_back(
        index < 0 ? -1 : static_cast<int>(std::distance(adapter.fields_.begin(), at)));
  }
  adapter.wanted_ = std::move(wanted);
  return adapter;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ColumnAdapter::Adapt(
    const std::shared_ptr<arrow::RecordBatch>& batch, int64_t num_rows,
    arrow::MemoryPool* pool) const {
  arrow::ArrayVector columns;
  for (size_t i = 0; i < place_.size(); ++i) {
    const auto& type = wanted_->field(static_cast<int>(i))->type();
    ArrayPointer column;
    if (place_[i] < 0) {
      ARROW_ASSIGN_OR_RAISE(column, arrow::MakeArrayOfNull(type, num_rows, pool));
    } else {
      ARROW_ASSIGN_OR_RAISE(column, Convert(batch->column(place_[i]), type, pool));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(wanted_, num_rows, std::move(columns));
}

}  // namespace tidemill::connectors
