#pragma once

#include <arrow/status.h>

namespace grpc {
class Status;
}

namespace tidemill::driver {

// Ours for the wire: a code for strangers, and the proto::Error, serialised, in the details. Texts
// are cut so that they fit into the metadata of a call.
grpc::Status ToGrpc(const arrow::Status& status);

}  // namespace tidemill::driver
