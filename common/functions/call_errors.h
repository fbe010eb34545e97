#pragma once

#include <arrow/status.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "common/expr/expr.h"

namespace tidemill {

// Errors at binding beside those of signature.h.

// As `most` of CheckArgCount: any number.
inline constexpr size_t kUnboundedArgs = 1 << 20;

// DATATYPE_MISMATCH.<subclass> of a call, with its reason.
arrow::Status Mismatch(std::string_view subclass, std::string_view name,
                       std::span<const ExprPtr> args, const std::string& reason);
// NON_FOLDABLE_ARGUMENT: a parameter must be a constant of a type and not NULL.
arrow::Status NotAConstant(std::string_view name, std::string_view parameter,
                           std::string_view type);

}  // namespace tidemill
