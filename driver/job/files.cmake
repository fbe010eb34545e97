list(APPEND driver_sources)
list(APPEND driver_headers
  job/job_runner.h
  job/progress.h)
