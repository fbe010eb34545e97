#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

namespace tidemill::driver {

// A request without its headers. *Plain data.*
struct HttpRequest {
  std::string method;  // GET or HEAD
  std::string path;    // percent-decoded; begins with '/'
  std::string query;   // what follows '?', as it came
};

// *Plain data.*
struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

// Splits and decodes a request's target. BAD_REQUEST (kInvalid) for one that is no absolute path or
// has a broken escape.
arrow::Result<HttpRequest> ParseTarget(std::string_view method, std::string_view target);

// True where a Host header names this machine by an address or as localhost. A web page that made
// its own name point to us (DNS rebinding) sends that name.
bool IsLocalHost(std::string_view host);

// What goes on the wire: status line, headers (no sniffing, no caching, no framing, nobody else's
// page may read it), and the body unless `is_head`.
std::string ResponseText(const HttpResponse& response, bool is_head, bool keeps_alive);

}  // namespace tidemill::driver
