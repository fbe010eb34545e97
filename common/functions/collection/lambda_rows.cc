#include "common/functions/collection/lambda_rows.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/types/ddl.h"

namespace tidemill {

std::shared_ptr<arrow::Array> Int32ArrayOf(std::shared_ptr<arrow::Buffer> buffer, int64_t count) {
  return std::make_shared<arrow::Int32Array>(count, std::move(buffer));
}

arrow::Result<LambdaElements> LambdaElements::Of(const ListColumn& column, const Validity& validity,
                                                 int64_t rows, arrow::MemoryPool* pool) {
  LambdaElements elements;
  ARROW_ASSIGN_OR_RAISE(elements.offsets,
                        arrow::AllocateBuffer((rows + 1) * sizeof(int32_t), pool));
  auto* offsets = elements.offsets->mutable_data_as<int32_t>();
  offsets[0] = 0;
  for (int64_t row = 0; row < rows; ++row) {
    offsets[row + 1] = offsets[row] + (validity[row] ? column.size(row) : 0);
  }
  const int64_t count = offsets[rows];
  const int64_t bytes = count * static_cast<int64_t>(sizeof(int32_t));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> places, arrow::AllocateBuffer(bytes, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> parents, arrow::AllocateBuffer(bytes, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> indices, arrow::AllocateBuffer(bytes, pool));
  auto* place = places->mutable_data_as<int32_t>();
  auto* parent = parents->mutable_data_as<int32_t>();
  auto* index = indices->mutable_data_as<int32_t>();
  for (int64_t row = 0; row < rows; ++row) {
    const int32_t size = offsets[row + 1] - offsets[row];
    for (int32_t i = 0; i < size; ++i) {
      *place++ = column.begin(row) + i;
      *parent++ = static_cast<int32_t>(row);
      *index++ = i;
    }
  }
  elements.places = Int32ArrayOf(std::move(places), count);
  elements.parents = Int32ArrayOf(std::move(parents), count);
  elements.indices = Int32ArrayOf(std::move(indices), count);
  return elements;
}

FunctionInfo HigherOrder(HigherOrderInfo info) {
  FunctionInfo function =
      Collection({info.name, info.usage, info.least, info.most, info.is_total, info.bind});
  function.lambda_shape = [info = std::move(info)](
                              std::span<const ExprPtr> args,
                              size_t index) -> arrow::Result<std::optional<LambdaShape>> {
    if (index < info.collections || index >= info.most) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(LambdaShape shape, info.shape(args, index));
    return std::optional<LambdaShape>(std::move(shape));
  };
  return function;
}

arrow::Status LambdaMustBe(std::string_view name, std::span<const ExprPtr> args, size_t argument,
                           const TypePtr& type) {
  return UnexpectedInput(name, args, argument, fmt::format("\"{}\"", SqlTypeName(*type)));
}

}  // namespace tidemill
