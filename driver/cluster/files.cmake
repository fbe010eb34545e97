list(APPEND driver_sources
  cluster/cluster_root.cc
  cluster/console_followers.cc
  cluster/driver_daemon.cc
  cluster/job_board.cc
  cluster/job_board_actor.cc
  cluster/job_fencing.cc
  cluster/job_planning.cc
  cluster/job_record.cc
  cluster/job_registration.cc
  cluster/job_stream.cc
  cluster/worker_registry.cc)
list(APPEND driver_headers
  cluster/cluster_root.h
  cluster/console_followers.h
  cluster/driver_daemon.h
  cluster/job_board.h
  cluster/job_board_actor.h
  cluster/job_fencing.h
  cluster/job_planning.h
  cluster/job_record.h
  cluster/job_registration.h
  cluster/job_stream.h
  cluster/worker_registry.h)
