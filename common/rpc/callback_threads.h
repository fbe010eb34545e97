#pragma once

namespace tidemill::rpc::internal {

// Keeps the threads that run gRPC's callbacks, once begun, until the process ends. gRPC 1.51 ends
// them with the last channel or server that uses them, and aborts in a race when it does ("prior >
// 0" in grpc_cq_internal_unref). *Thread-safe.*
void KeepCallbackThreads();

}  // namespace tidemill::rpc::internal
