#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/types/ddl.h"
#include "worker/stateful/keyed_process.h"

namespace tidemill::worker {

// An example of logic over keyed state: sessions of rows (user STRING, at TIMESTAMP) that end when
// a user has been silent for a while. State: (first BIGINT, last BIGINT, events BIGINT), times in
// microseconds. A session is given when its timer fires.
class SessionTimeout final : public KeyedFunction {
 public:
  explicit SessionTimeout(int64_t silence_us) : silence_us_(silence_us) {}

  static std::shared_ptr<arrow::Schema> StateSchema() {
    return ParseDdlSchema("first BIGINT, last BIGINT, events BIGINT").ValueOrDie();
  }
  static std::shared_ptr<arrow::Schema> OutputSchema() {
    return ParseDdlSchema("user STRING, first BIGINT, last BIGINT, events BIGINT").ValueOrDie();
  }

  arrow::Result<KeyedAnswer> Call(const KeyedCall& call) override {
    return call.timers_us.empty() ? OnRows(call) : OnTimers(call);
  }

 private:
  static int64_t StateAt(const KeyedCall& call, int column, size_t key) {
    return static_cast<const arrow::Int64Array&>(*call.state->column(column))
        .Value(static_cast<int64_t>(key));
  }

  arrow::Result<KeyedAnswer> OnRows(const KeyedCall& call) const {
    KeyedAnswer answer;
    arrow::Int64Builder first, last, events;
    const auto& times = static_cast<const arrow::TimestampArray&>(*call.rows->column(1));
    int64_t row = 0;
    for (size_t key = 0; key < call.row_ends.size(); ++key) {
      const auto number = static_cast<uint32_t>(key);
      const bool has_state = call.has_state[key] != 0;
      int64_t begin = has_state ? StateAt(call, 0, key) : times.Value(row);
      int64_t end = has_state ? StateAt(call, 1, key) : times.Value(row);
      int64_t count = has_state ? StateAt(call, 2, key) : 0;
      if (has_state) answer.deleted_timers.push_back({number, end + silence_us_});
      for (; row < call.row_ends[key]; ++row, ++count) {
        begin = std::min(begin, times.Value(row));
        end = std::max(end, times.Value(row));
      }
      answer.set_timers.push_back({number, end + silence_us_});
      answer.written.push_back(number);
      ARROW_RETURN_NOT_OK(first.Append(begin));
      ARROW_RETURN_NOT_OK(last.Append(end));
      ARROW_RETURN_NOT_OK(events.Append(count));
    }
    std::vector<std::shared_ptr<arrow::Array>> columns(3);
    ARROW_RETURN_NOT_OK(first.Finish(&columns[0]));
    ARROW_RETURN_NOT_OK(last.Finish(&columns[1]));
    ARROW_RETURN_NOT_OK(events.Finish(&columns[2]));
    answer.state = arrow::RecordBatch::Make(
        StateSchema(), static_cast<int64_t>(answer.written.size()), std::move(columns));
    return answer;
  }

  // All keys of such a call have a timer that is due: their sessions are over.
  static arrow::Result<KeyedAnswer> OnTimers(const KeyedCall& call) {
    KeyedAnswer answer;
    std::vector<std::shared_ptr<arrow::Array>> columns{call.keys->column(0)};
    for (const auto& column : call.state->columns()) columns.push_back(column);
    answer.output =
        arrow::RecordBatch::Make(OutputSchema(), call.keys->num_rows(), std::move(columns));
    for (uint32_t key = 0; key < call.keys->num_rows(); ++key) answer.cleared.push_back(key);
    return answer;
  }

  const int64_t silence_us_;
};

}  // namespace tidemill::worker
