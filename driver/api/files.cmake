list(APPEND driver_sources
  api/http_routes.cc
  api/job_json.cc
  api/metrics.cc)
list(APPEND driver_headers
  api/http_routes.h
  api/job_json.h
  api/metrics.h)
