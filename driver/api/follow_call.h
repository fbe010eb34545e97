#pragma once

#include <memory>
#include <string>

#include "driver/cluster/job_board.h"

namespace grpc {
template <class Message>
class ServerWriteReactor;
}

namespace tidemill::driver {

// Begins to stream a job's console text, and its outcome at the end, to one client. The reactor
// owns itself until gRPC is done with it.
grpc::ServerWriteReactor<proto::FollowReply>* StartFollow(JobBoard* board, const std::string& job);

}  // namespace tidemill::driver
