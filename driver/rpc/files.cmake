list(APPEND driver_sources
  rpc/messages.cc)
list(APPEND driver_headers
  rpc/messages.h)
