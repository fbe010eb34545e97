list(APPEND driver_sources
  epoch/recovery.cc
  epoch/scheduler.cc
  epoch/trigger_clock.cc)
list(APPEND driver_headers
  epoch/recovery.h
  epoch/scheduler.h
  epoch/scheduler_events.h
  epoch/trigger_clock.h)
