list(APPEND common_sources)
list(APPEND common_headers
  types/ddl.h
  types/value_format.h
  types/value_parse.h)
