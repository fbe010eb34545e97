#pragma once

namespace tidemill::rpc::internal {

// Times in milliseconds that both sides of a connection agree on. A peer that vanished without a
// word is noticed after kKeepAliveMs + kKeepAliveTimeoutMs at most: within the lease of 5 s.
inline constexpr int kKeepAliveMs = 1000;
inline constexpr int kKeepAliveTimeoutMs = 3000;
inline constexpr int kConnectTimeoutMs = 3000;

}  // namespace tidemill::rpc::internal
