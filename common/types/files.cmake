list(APPEND common_sources
  types/catalog_name.cc
  types/ddl.cc
  types/ddl_lexer.cc
  types/interval/interval_literal.cc
  types/interval/interval_parse.cc
  types/interval/interval_text.cc
  types/json_object.cc
  types/json_row_writer.cc
  types/number_text.cc
  types/show_text.cc
  types/time_text.cc
  types/time_zone.cc
  types/tz_file.cc
  types/value_format.cc
  types/value_parse.cc)
list(APPEND common_headers
  types/catalog_name.h
  types/civil_time.h
  types/ddl.h
  types/ddl_lexer.h
  types/interval/interval.h
  types/json_object.h
  types/time_text.h
  types/time_zone.h
  types/tz_file.h
  types/value_format.h
  types/value_parse.h)
