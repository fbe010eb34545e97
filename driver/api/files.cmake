list(APPEND driver_sources
  api/call_status.cc
  api/driver_service.cc
  api/follow_call.cc
  api/follow_queue.cc
  api/http_routes.cc
  api/job_json.cc
  api/metrics.cc
  api/read_table_call.cc)
list(APPEND driver_headers
  api/call_status.h
  api/driver_service.h
  api/follow_call.h
  api/follow_queue.h
  api/http_routes.h
  api/job_json.h
  api/metrics.h
  api/read_table_call.h)
