list(APPEND common_sources)
list(APPEND common_headers)
