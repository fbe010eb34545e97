#pragma once

#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <string>

#include "common/json/json_scanner.h"

namespace tidemill {

// The type of the JSON values seen so far, widened by Spark's rules: whole numbers are BIGINT, then
// DECIMAL, others DOUBLE; what does not go together is STRING; structs have the fields of all, in
// name order. *Thread-compatible.*
class InferredType {
 public:
  // Widens by a scanned value.
  void Add(const JsonValue& value, JsonSyntax syntax);
  // What was never anything but null is STRING; a struct without fields is nothing (nullptr).
  std::shared_ptr<arrow::DataType> Finish() const;
  // The fields of a struct, as Finish gives them.
  arrow::FieldVector FinishFields() const;

 private:
  enum class Kind { kNothing, kBoolean, kBigint, kDecimal, kDouble, kString, kStruct, kArray };

  void Widen(Kind kind, int digits);

  Kind kind_ = Kind::kNothing;
  int digits_ = 0;  // of whole numbers that are too large for BIGINT
  std::map<std::string, InferredType, std::less<>> fields_;
  std::unique_ptr<InferredType> element_;
};

}  // namespace tidemill
