#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tidemill {

// Says who must react to an error, and so how the process or the job reacts. The value is the exit
// code of the command line (interface: "Exit codes").
enum class ErrorKind : int {
  kGeneral = 1,      // no better class; the job fails
  kUsage = 2,        // command line
  kInvalid = 3,      // invalid SQL or specification; nothing was started
  kUnavailable = 4,  // a peer does not answer; retried with back-off
  kUnauthorised = 5,
  kNotFound = 6,
  kConflict = 7,   // somebody else holds the checkpoint, the sink path or the name
  kJobFailed = 8,  // bad data under FAILFAST, ANSI errors: the user's job fails, the engine is fine
  kCorrupt = 9,    // checkpoint corrupt or incompatible: stop, never skip
  kFenced = 10,    // a newer incarnation exists; this one ends
  kResource = 11,  // a limit is reached: memory, disk
  kSuperseded = 64,  // an old attempt's answer; dropped by the receiver, never shown
  kBug = 70,         // our bug, or an fsync that failed: the process ends
};

// A half-open range of byte offsets in some text (a query, a specification).
struct Span {
  int32_t begin = 0;
  int32_t end = 0;
};

// Where an error is in a text that the user wrote. Lines and columns count from 1; columns are
// display columns of UTF-8 text.
struct SourceLocation {
  std::string file;
  int line = 0;
  int column = 0;
  int width = 1;          // how many columns the caret underlines
  std::string line_text;  // the whole line, without the line break
};

// What our errors carry beside the message: the class that scripts match on (Spark's names where
// Spark has one, else ours in the same style), the reaction, a hint, and a place. *Immutable.*
class ErrorDetail final : public arrow::StatusDetail {
 public:
  static constexpr const char* kTypeId = "tidemill::ErrorDetail";

  ErrorDetail(ErrorKind kind, std::string error_class)
      : kind(kind), error_class(std::move(error_class)) {}

  const char* type_id() const override { return kTypeId; }
  std::string ToString() const override { return error_class; }

  ErrorKind kind;
  std::string error_class;
  std::string hint;                        // one line, empty for none
  std::optional<Span> span;                // relative to the text being processed
  std::optional<SourceLocation> location;  // set once the text and its name are known
  std::optional<int64_t> row;              // of the batch being processed
  // Which data it was, set once that is known: "/in/part-3.json:17", or the operator that failed
  // where many rows have become one.
  std::string place;
};

// Makes an error. `message` follows the house rule: "static text: rule: key=value", lower case, no
// full stop; messages that Spark has are Spark's, word for word.
arrow::Status MakeError(ErrorKind kind, std::string error_class, std::string message);
arrow::Status MakeError(ErrorKind kind, std::string error_class, std::string message, Span span,
                        std::string hint = "");

// Returns the detail of one of our errors, or nullptr for a status that has none (OK, or Arrow's
// own).
const ErrorDetail* DetailOf(const arrow::Status& status);

// The kind of any failed status; Arrow's own codes are mapped (IOError: kGeneral, OutOfMemory:
// kResource, NotImplemented: kInvalid, ...).
ErrorKind KindOf(const arrow::Status& status);
// The error class of any failed status; "INTERNAL_ERROR" where there is none.
std::string ErrorClassOf(const arrow::Status& status);
inline int ExitCodeOf(const arrow::Status& status) {
  return status.ok() ? 0 : static_cast<int>(KindOf(status));
}

// Each returns a copy of `status` with something more said. An OK status is returned as it is.
arrow::Status WithContext(const arrow::Status& status, std::string_view doing);  // "doing: message"
arrow::Status WithHint(const arrow::Status& status, std::string hint);
// Replaces only an unset span; inner code knows better.
arrow::Status WithSpan(const arrow::Status& status, Span span);
// Replace what was there; outer code knows better.
arrow::Status WithRow(const arrow::Status& status, int64_t row);
arrow::Status WithPlace(const arrow::Status& status, std::string place);
arrow::Status WithLocation(const arrow::Status& status, SourceLocation location);
// Turns the span into a location in `text`, which is known to the user as `file`. `base_offset` is
// added to the span first (a query inside a larger file). A status without span, or with a location
// already, is returned as it is.
arrow::Status WithSource(const arrow::Status& status, std::string_view file, std::string_view text,
                         int32_t base_offset = 0);

// The text for people, several lines without a final line break:
//   error[CAST_INVALID_INPUT]: message SQLSTATE: 22018
//     --> file:3:16
//      |
//    3 | SELECT id, CAST(price AS INT) FROM orders
//      |            ^^^^^^^^^^^^^^^^^^
//      = at: /in/part-3.json:17
//      = help: hint
// A location without its line's text is its first line alone.
std::string RenderError(const arrow::Status& status);

// The nearest of `candidates` to `name` (edit distance, case-insensitive), or "" where none is
// near.
template <class Container>
std::string NearestName(std::string_view name, const Container& candidates);

namespace internal {
// Edit distance with transpositions; a large number above `limit`.
int EditDistance(std::string_view a, std::string_view b, int limit);
}  // namespace internal

template <class Container>
std::string NearestName(std::string_view name, const Container& candidates) {
  std::string best;
  int best_distance = static_cast<int>(name.size()) / 3 + 2;
  for (const auto& candidate : candidates) {
    int distance = internal::EditDistance(name, std::string_view(candidate), best_distance);
    if (distance < best_distance) {
      best_distance = distance;
      best = std::string(candidate);
    }
  }
  return best;
}

}  // namespace tidemill
