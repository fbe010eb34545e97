list(APPEND common_sources
  fs/directory_watch.cc
  fs/file_system.cc
  fs/local_file_system.cc)
list(APPEND common_headers
  fs/directory_watch.h
  fs/file_system.h)
