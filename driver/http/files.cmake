list(APPEND driver_sources
  http/http_message.cc
  http/http_server.cc)
list(APPEND driver_headers
  http/http_message.h
  http/http_server.h)
