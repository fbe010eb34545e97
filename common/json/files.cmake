list(APPEND common_sources
  json/inferred_type.cc
  json/json_decoder.cc
  json/json_numbers.cc
  json/json_path.cc
  json/json_scanner.cc
  json/json_style.cc
  json/json_view.cc)
list(APPEND common_headers
  json/inferred_type.h
  json/json_decoder.h
  json/json_fields.h
  json/json_numbers.h
  json/json_path.h
  json/json_scanner.h
  json/json_style.h
  json/json_view.h)
