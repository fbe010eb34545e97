list(APPEND driver_sources
  log/checked_file.cc
  log/checkpoint_dir.cc
  log/checkpoint_repair.cc
  log/checkpoint_show.cc
  log/commit_log.cc
  log/log_frame.cc
  log/log_reader.cc
  log/log_state.cc
  log/term.cc)
list(APPEND driver_headers
  log/checked_file.h
  log/checkpoint_dir.h
  log/checkpoint_show.h
  log/commit_log.h
  log/frozen_settings.h
  log/log_frame.h
  log/log_reader.h
  log/log_state.h
  log/term.h)
