list(APPEND driver_sources
  cluster/cluster_root.cc
  cluster/job_stream.cc
  cluster/worker_registry.cc)
list(APPEND driver_headers
  cluster/cluster_root.h
  cluster/job_stream.h
  cluster/worker_registry.h)
