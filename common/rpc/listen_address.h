#pragma once

#include <arrow/result.h>

#include <string>

namespace tidemill::rpc::internal {

// An address to listen on, resolved. *Plain data.*
struct ListenAddress {
  std::string host;     // as the user wrote it
  std::string numeric;  // "127.0.0.1:7400" or "[::1]:7400"
  int port = 0;         // 0: any free one
};

// Reads "host:port" and makes sure that this process may listen there.
//
// Errors: INVALID_ADDRESS (kUsage), INSECURE_BIND (kUsage) where the host is not loopback and
// `allows_remote` is not set, ADDRESS_IN_USE (kConflict).
arrow::Result<ListenAddress> ResolveListenAddress(const std::string& text, bool allows_remote);

}  // namespace tidemill::rpc::internal
