#include "common/functions/choose.h"

#include <arrow/compute/api.h>

namespace tidemill {

arrow::Result<arrow::Datum> ChooseColumns(const EvalContext& context,
                                          std::span<const arrow::Datum> values,
                                          const std::vector<int64_t>& choice,
                                          const std::shared_ptr<arrow::DataType>& type) {
  const auto rows = static_cast<int64_t>(choice.size());
  std::vector<int64_t> place(values.size(), -1);  // of each used column among those of the call
  std::vector<arrow::Datum> args(1);
  Validity validity = Validity::AllValid(rows);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(rows * sizeof(int64_t), context.pool));
  auto* out = buffer->mutable_data_as<int64_t>();
  for (int64_t row = 0; row < rows; ++row) {
    out[row] = 0;
    if (choice[row] < 0) {
      ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
      continue;
    }
    int64_t& column = place[choice[row]];
    if (column < 0) {
      column = static_cast<int64_t>(args.size()) - 1;
      args.push_back(values[choice[row]]);
    }
    out[row] = column;
  }
  if (args.size() == 1) return NullDatum(type);
  args[0] = MakeColumnData(arrow::int64(), rows, validity, {std::move(buffer)});
  arrow::compute::ExecContext exec(context.pool);
  return arrow::compute::CallFunction("choose", args, &exec);
}

}  // namespace tidemill
