list(APPEND common_sources
  base/clock.cc
  base/error.cc
  base/executor.cc
  base/failpoint.cc
  base/hash.cc
  base/logging.cc
  base/options.cc
  base/random.cc
  base/sql_state.cc)
list(APPEND common_headers
  base/ascii.h
  base/check.h
  base/clock.h
  base/equal_bytes.h
  base/error.h
  base/executor.h
  base/failpoint.h
  base/hash.h
  base/logging.h
  base/mutex.h
  base/options.h
  base/own_thread_executor.h
  base/random.h
  base/sql_state.h)
