list(APPEND driver_sources
  epoch/adoption.cc
  epoch/assignment.cc
  epoch/epoch_sizer.cc
  epoch/recovery.cc
  epoch/scheduler.cc
  epoch/trigger_clock.cc
  epoch/watermark.cc)
list(APPEND driver_headers
  epoch/adoption.h
  epoch/assignment.h
  epoch/epoch_sizer.h
  epoch/recovery.h
  epoch/scheduler.h
  epoch/scheduler_events.h
  epoch/term_number.h
  epoch/trigger_clock.h
  epoch/watermark.h)
