#include "driver/api/call_status.h"

#include <grpcpp/support/status.h>

#include <string>

#include "common/base/error.h"
#include "driver/rpc/messages.h"
#include "proto/control.pb.h"

namespace tidemill::driver {

namespace {

// Metadata of a call has 8 KiB; details grow by a third there, messages may grow by three.
constexpr size_t kMaxMessage = 400;
constexpr size_t kMaxDetailMessage = 2500;
constexpr size_t kMaxHint = 500;
constexpr size_t kMaxLine = 1000;

// The text without what is beyond the limit; never cuts a character of UTF-8.
std::string Cut(const std::string& text, size_t limit) {
  if (text.size() <= limit) return text;
  size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " ...";
}

grpc::StatusCode CodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
    case ErrorKind::kInvalid:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorKind::kUnavailable:
      return grpc::StatusCode::UNAVAILABLE;
    case ErrorKind::kUnauthorised:
      return grpc::StatusCode::UNAUTHENTICATED;
    case ErrorKind::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorKind::kConflict:
      return grpc::StatusCode::ALREADY_EXISTS;
    case ErrorKind::kFenced:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case ErrorKind::kResource:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case ErrorKind::kCorrupt:
      return grpc::StatusCode::DATA_LOSS;
    default:
      return grpc::StatusCode::UNKNOWN;
  }
}

}  // namespace

grpc::Status ToGrpc(const arrow::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  proto::Error error;
  WriteError(status, &error);
  error.set_message(Cut(error.message(), kMaxDetailMessage));
  error.set_hint(Cut(error.hint(), kMaxHint));
  error.set_place(Cut(error.place(), kMaxHint));
  // Half a line is none that a caret could point into.
  if (error.location().line_text().size() > kMaxLine) error.mutable_location()->clear_line_text();
  return {CodeOf(KindOf(status)), Cut(status.message(), kMaxMessage), error.SerializeAsString()};
}

}  // namespace tidemill::driver
