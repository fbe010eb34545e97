#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "connectors/file/file_options.h"
#include "connectors/file/malformed_record.h"

namespace tidemill::connectors {

// What becomes of records. *Plain data.*
struct RecordColumns {
  std::shared_ptr<arrow::Schema> schema;  // of the batches
  std::vector<int> field_of;              // by column: which of the decoded fields, or -1: its text
  ParseMode mode = ParseMode::kPermissive;
};

// Makes a batch of scanned records, bad ones treated as `mode` says. `Records` has size(), text(i),
// bad_rows(), FirstBad() and DropBad(); decode(type, field) gives the ArrayData of a field and
// marks records that it finds bad.
template <class Records, class Decode>
arrow::Result<std::shared_ptr<arrow::RecordBatch>> MakeRecordBatch(const RecordColumns& plan,
                                                                   const std::string& path,
                                                                   arrow::MemoryPool* pool,
                                                                   Records* records,
                                                                   Decode decode) {
  arrow::ArrayVector columns(plan.field_of.size());
  const auto decode_all = [&]() -> arrow::Status {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (plan.field_of[i] < 0) continue;
      ARROW_ASSIGN_OR_RAISE(const auto data, decode(plan.schema->field(static_cast<int>(i))->type(),
                                                    plan.field_of[i]));
      columns[i] = arrow::MakeArray(data);
    }
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(decode_all());
  const int64_t bad = records->FirstBad();
  if (bad >= 0 && plan.mode == ParseMode::kFailFast) {
    return WithRow(MalformedRecord(records->text(bad), path), bad);
  }
  if (bad >= 0 && plan.mode == ParseMode::kDropMalformed) {
    records->DropBad();
    ARROW_RETURN_NOT_OK(decode_all());
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (plan.field_of[i] >= 0) continue;
    arrow::StringBuilder texts(pool);
    ARROW_RETURN_NOT_OK(texts.Reserve(static_cast<int64_t>(records->size())));
    for (size_t row = 0; row < records->size(); ++row) {
      ARROW_RETURN_NOT_OK((*records->bad_rows())[row] != 0 ? texts.Append(records->text(row))
                                                           : texts.AppendNull());
    }
    ARROW_ASSIGN_OR_RAISE(columns[i], texts.Finish());
  }
  return arrow::RecordBatch::Make(plan.schema, static_cast<int64_t>(records->size()),
                                  std::move(columns));
}

}  // namespace tidemill::connectors
