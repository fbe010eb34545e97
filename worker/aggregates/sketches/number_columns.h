#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>

namespace tidemill::worker {

// How sketches of numbers see values: as DOUBLE, dates in days, timestamps in microseconds,
// intervals in their own unit.
using NumberReader = double (*)(const arrow::Array& array, int64_t row);
// nullptr where the type is not measured in numbers.
NumberReader NumberReaderOf(const arrow::DataType& type);
// Appends a number as a value of the builder's type: integers cut off the fraction.
arrow::Status AppendNumber(double value, arrow::ArrayBuilder* builder);

}  // namespace tidemill::worker
