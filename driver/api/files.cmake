list(APPEND driver_sources
  api/job_json.cc)
list(APPEND driver_headers
  api/job_json.h)
