list(APPEND driver_sources
  spec/job_reader.cc
  spec/job_spec.cc
  spec/job_values.cc
  spec/literal_value.cc
  spec/map_reader.cc
  spec/script/name_pattern.cc
  spec/script/script.cc
  spec/script/script_catalog.cc
  spec/script/script_parser.cc
  spec/settings.cc
  spec/text_pieces.cc
  spec/yaml_node.cc)
list(APPEND driver_headers
  spec/job_reader.h
  spec/job_spec.h
  spec/job_values.h
  spec/literal_value.h
  spec/map_reader.h
  spec/script/name_pattern.h
  spec/script/script.h
  spec/script/script_catalog.h
  spec/script/script_parser.h
  spec/script/statement.h
  spec/settings.h
  spec/text_pieces.h
  spec/yaml_node.h)
