list(APPEND common_sources
  types/ddl.cc
  types/ddl_lexer.cc)
list(APPEND common_headers
  types/civil_time.h
  types/ddl.h
  types/ddl_lexer.h
  types/time_zone.h
  types/value_format.h
  types/value_parse.h)
