#include "driver/http/http_message.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "common/base/error.h"

namespace tidemill::driver {

namespace {

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Payload Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return status < 500 ? "Error" : "Internal Server Error";
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

arrow::Status BadTarget(std::string_view rule) {
  return MakeError(ErrorKind::kInvalid, "BAD_REQUEST", fmt::format("bad request target: {}", rule));
}

arrow::Result<std::string> Decode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return BadTarget("two hex digits follow %");
    if (high == 0 && low == 0) return BadTarget("no zero bytes");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace

arrow::Result<HttpRequest> ParseTarget(std::string_view method, std::string_view target) {
  if (target.empty() || target[0] != '/') return BadTarget("begins with /");
  const size_t mark = target.find('?');
  HttpRequest request;
  request.method = method;
  ARROW_ASSIGN_OR_RAISE(request.path, Decode(target.substr(0, mark)));
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  return request;
}

bool IsLocalHost(std::string_view host) {
  std::string name;
  if (host.starts_with('[')) {
    name = host.substr(1, host.find(']') - 1);
  } else {
    name = host.substr(0, host.find(':'));
  }
  in6_addr address;
  return name == "localhost" || ::inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

std::string ResponseText(const HttpResponse& response, bool is_head, bool keeps_alive) {
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\n"
      "Content-Type: {}\r\n"
      "Content-Length: {}\r\n"
      "Connection: {}\r\n"
      "{}"
      "Cache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "X-Frame-Options: DENY\r\n"
      "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\n"
      "Referrer-Policy: no-referrer\r\n"
      "\r\n",
      response.status, ReasonOf(response.status), response.content_type, response.body.size(),
      keeps_alive ? "keep-alive" : "close", response.status == 405 ? "Allow: GET, HEAD\r\n" : "");
  if (!is_head) text += response.body;
  return text;
}

}  // namespace tidemill::driver
