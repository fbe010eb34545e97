list(APPEND driver_sources
  spec/job_reader.cc
  spec/job_spec.cc
  spec/job_values.cc
  spec/map_reader.cc
  spec/settings.cc
  spec/text_pieces.cc
  spec/yaml_node.cc)
list(APPEND driver_headers
  spec/job_reader.h
  spec/job_spec.h
  spec/job_values.h
  spec/map_reader.h
  spec/settings.h
  spec/text_pieces.h
  spec/yaml_node.h)
