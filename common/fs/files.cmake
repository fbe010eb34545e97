list(APPEND common_sources
  fs/file_system.cc
  fs/local_file_system.cc)
list(APPEND common_headers
  fs/file_system.h)
