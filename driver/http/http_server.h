#pragma once

#include <arrow/result.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "driver/http/http_message.h"

namespace tidemill::driver {

// What one client may take. *Plain data.*
struct HttpLimits {
  int connections = 256;  // at a time; a further one is closed at once
  size_t header_bytes = size_t{16} << 10;
  // For a request to arrive in full, counted from the connection or from the answer before it, and
  // for an answer to be taken in full.
  std::chrono::milliseconds client_timeout{10'000};
  std::chrono::milliseconds reply_timeout{10'000};  // for the handler; then 504
  std::chrono::milliseconds linger{1'000};          // for the client to close after the last answer
};

// A small HTTP/1.1 server for GET and HEAD, one thread, asynchronous, with keep-alive. Requests of
// a connection are answered one after the other. What is no request, has a body, or takes too long
// is refused, the connection closed, and a line logged (at most one a second). *Thread-safe.*
class HttpServer {
 public:
  using Reply = std::function<void(HttpResponse)>;
  struct Options {
    std::string listen;          // "127.0.0.1:7480", "[::1]:7480"; port 0 takes a free one
    bool allows_remote = false;  // --insecure-bind: else only loopback addresses
    // Called on the server's thread, which must not be blocked; `reply` may be called on any thread
    // at any time, once; later calls do nothing.
    std::function<void(const HttpRequest&, Reply reply)> handler;
    HttpLimits limits;
  };
  // Errors: ADDRESS_IN_USE (kConflict), INVALID_ADDRESS (kUsage), INSECURE_BIND (kUsage) for an
  // address that is not loopback.
  static arrow::Result<std::unique_ptr<HttpServer>> Start(Options options);
  ~HttpServer();  // Stops.

  const std::string& address() const { return address_; }  // with the port in use
  // Closes all connections; the handler is not called any more. Not from the handler.
  void Stop();

 private:
  class Core;
  class Session;
  struct Running;
  HttpServer(std::string address, std::unique_ptr<Running> running);

  const std::string address_;
  const std::unique_ptr<Running> running_;
};

}  // namespace tidemill::driver
