#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/expr/function_registry.h"

namespace tidemill {

// One cast: its types, and whether failing gives NULL. *Plain data.*
struct CastRule {
  std::shared_ptr<arrow::DataType> from;
  std::shared_ptr<arrow::DataType> to;
  bool is_try = false;
};

// The kernels by family; each takes the pairs of types that its name says.
arrow::Result<Kernel> CastFromText(const CastRule& rule);
arrow::Result<Kernel> CastToTextKernel(const CastRule& rule);
arrow::Result<Kernel> CastNumber(const CastRule& rule);    // numbers and BOOLEAN
arrow::Result<Kernel> CastDatetime(const CastRule& rule);  // DATE and TIMESTAMPs, also to numbers
// Between INTERVAL DAY and DAY TO SECOND, and between intervals and numbers.
arrow::Result<Kernel> CastInterval(const CastRule& rule);
// From STRING.
arrow::Result<Kernel> ParseIntervals(const CastRule& rule);
arrow::Result<Kernel> CastNested(const CastRule& rule);

// Parses a decimal number ("1.5", "-1e3") to `scale` digits behind the point, half away from zero.
enum class DecimalParse { kOk, kMalformed, kOutOfRange };
DecimalParse ParseDecimal(std::string_view text, int precision, int scale, __int128* out);
// "-0.05" of -5 with scale 2.
std::string DecimalText(__int128 value, int scale);

// The session's time zone, or UTC in a context without one (literals folded while planning).
const TimeZone& ZoneOf(const EvalContext& context);

}  // namespace tidemill
