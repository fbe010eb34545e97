#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string_view>

#include "common/csv/csv_options.h"
#include "common/types/time_zone.h"

namespace tidemill {

// The type of the tokens of a column seen so far, widened by Spark's rules: INT, BIGINT, DECIMAL
// (whole numbers too large for BIGINT), DOUBLE, DATE, TIMESTAMP, BOOLEAN; what does not go together
// is STRING, as is a column without values. *Thread-compatible.*
class CsvInferredType {
 public:
  void Add(std::string_view token, const CsvOptions& options, const TimeZone& zone);
  std::shared_ptr<arrow::DataType> Finish() const;

 private:
  enum class Kind {
    kNothing,
    kInt,
    kBigint,
    kDecimal,
    kDouble,
    kDate,
    kTimestamp,
    kBoolean,
    kString
  };
  struct Found {
    Kind kind = Kind::kNothing;
    int digits = 0;  // of a DECIMAL
  };

  // The first kind from `from` on that the token suits.
  static Found Classify(Kind from, std::string_view token, const CsvOptions& options,
                        const TimeZone& zone);

  Kind kind_ = Kind::kNothing;
  int digits_ = 0;
};

}  // namespace tidemill
