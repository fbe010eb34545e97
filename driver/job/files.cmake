list(APPEND driver_sources
  job/epoch_in_flight.cc
  job/io_strand.cc
  job/job_actor.cc
  job/job_runner.cc
  job/job_start.cc
  job/plan_job.cc
  job/progress.cc
  job/worker_set.cc)
list(APPEND driver_headers
  job/epoch_in_flight.h
  job/io_strand.h
  job/job_actor.h
  job/job_runner.h
  job/job_start.h
  job/plan_job.h
  job/progress.h
  job/worker_set.h)
