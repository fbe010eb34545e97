#pragma once

#include <string>

#include "proto/cluster.pb.h"

namespace grpc {
template <class Message>
class ServerWriteReactor;
}

namespace tidemill::driver {

// Begins to stream what a memory sink of this process holds as an Arrow IPC stream. The reactor
// owns itself until gRPC is done with it. Errors: TABLE_NOT_FOUND (kNotFound).
grpc::ServerWriteReactor<proto::ReadTableReply>* StartReadTable(const std::string& table);

}  // namespace tidemill::driver
