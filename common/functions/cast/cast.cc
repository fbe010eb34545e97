#include "common/functions/cast/cast.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/expr/type_coercion.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

arrow::Result<arrow::Datum> Identity(const EvalContext&, std::span<const arrow::Datum> args,
                                     int64_t) {
  return args[0];
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> CastChild(
    const Kernel& kernel, const EvalContext& context, std::shared_ptr<arrow::ArrayData> child) {
  const int64_t rows = child->length;
  const arrow::Datum arg(std::move(child));
  ARROW_ASSIGN_OR_RAISE(arrow::Datum result, kernel(context, std::span(&arg, 1), rows));
  ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(result, rows, context.pool));
  return array->data();
}

arrow::Result<Kernel> CastList(const CastRule& rule) {
  ARROW_ASSIGN_OR_RAISE(Kernel item, MakeCastKernel(rule.from->field(0)->type(),
                                                    rule.to->field(0)->type(), rule.is_try));
  return Kernel([item, type = rule.to](const EvalContext& context,
                                       std::span<const arrow::Datum> args,
                                       int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
    auto data = array->data()->Copy();
    data->type = type;
    ARROW_ASSIGN_OR_RAISE(data->child_data[0], CastChild(item, context, data->child_data[0]));
    return arrow::Datum(std::move(data));
  });
}

arrow::Result<Kernel> CastMap(const CastRule& rule) {
  const auto& from = static_cast<const arrow::MapType&>(*rule.from);
  const auto& to = static_cast<const arrow::MapType&>(*rule.to);
  ARROW_ASSIGN_OR_RAISE(Kernel key, MakeCastKernel(from.key_type(), to.key_type(), false));
  ARROW_ASSIGN_OR_RAISE(Kernel item, MakeCastKernel(from.item_type(), to.item_type(), rule.is_try));
  return Kernel([key, item, type = rule.to](const EvalContext& context,
                                            std::span<const arrow::Datum> args,
                                            int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
    auto data = array->data()->Copy();
    auto entries = data->child_data[0]->Copy();
    data->type = type;
    entries->type = static_cast<const arrow::MapType&>(*type).value_type();
    // Struct children are not sliced with their parent; the offset applies to both.
    ARROW_ASSIGN_OR_RAISE(entries->child_data[0], CastChild(key, context, entries->child_data[0]));
    ARROW_ASSIGN_OR_RAISE(entries->child_data[1], CastChild(item, context, entries->child_data[1]));
    data->child_data[0] = std::move(entries);
    return arrow::Datum(std::move(data));
  });
}

arrow::Result<Kernel> CastStruct(const CastRule& rule) {
  std::vector<Kernel> fields;
  for (int i = 0; i < rule.from->num_fields(); ++i) {
    ARROW_ASSIGN_OR_RAISE(Kernel field, MakeCastKernel(rule.from->field(i)->type(),
                                                       rule.to->field(i)->type(), rule.is_try));
    fields.push_back(std::move(field));
  }
  return Kernel([fields, type = rule.to](const EvalContext& context,
                                         std::span<const arrow::Datum> args,
                                         int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
    auto data = array->data()->Copy();
    data->type = type;
    for (size_t i = 0; i < fields.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(data->child_data[i],
                            CastChild(fields[i], context, data->child_data[i]));
    }
    return arrow::Datum(std::move(data));
  });
}

}  // namespace

arrow::Result<Kernel> CastNested(const CastRule& rule) {
  switch (rule.from->id()) {
    case arrow::Type::LIST:
      return CastList(rule);
    case arrow::Type::MAP:
      return CastMap(rule);
    default:
      return CastStruct(rule);
  }
}

const TimeZone& ZoneOf(const EvalContext& context) {
  static const std::shared_ptr<const TimeZone> utc = [] {
    auto zone = FindTimeZone("UTC");
    TIDEMILL_CHECK(zone.ok());
    return *zone;
  }();
  return context.zone != nullptr ? *context.zone : *utc;
}

arrow::Result<Kernel> MakeCastKernel(const std::shared_ptr<arrow::DataType>& from,
                                     const std::shared_ptr<arrow::DataType>& to, bool is_try) {
  if (!CanCast(*from, *to)) {
    return MakeError(
        ErrorKind::kInvalid, "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
        fmt::format("cannot cast \"{}\" to \"{}\"", SqlTypeName(*from), SqlTypeName(*to)));
  }
  const CastRule rule{from, to, is_try};
  if (from->Equals(*to)) return Kernel(Identity);
  if (from->id() == arrow::Type::NA) {
    return Kernel([to](const EvalContext&, std::span<const arrow::Datum>,
                       int64_t) -> arrow::Result<arrow::Datum> { return NullDatum(to); });
  }
  if (IsStringType(*to)) return CastToTextKernel(rule);
  if (IsStringType(*from) && IsIntervalType(*to)) return ParseIntervals(rule);
  if (IsStringType(*from)) return CastFromText(rule);
  if (from->num_fields() > 0) return CastNested(rule);
  if (IsDatetimeType(*from) || IsDatetimeType(*to)) return CastDatetime(rule);
  if (IsIntervalType(*from) || IsIntervalType(*to)) return CastInterval(rule);
  return CastNumber(rule);
}

}  // namespace tidemill
