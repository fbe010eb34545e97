list(APPEND common_sources
  csv/csv_decoder.cc
  csv/csv_inferred_type.cc
  csv/csv_options.cc
  csv/csv_records.cc
  csv/csv_tokenizer.cc
  csv/csv_values.cc
  csv/csv_writer.cc)
list(APPEND common_headers
  csv/column_maker.h
  csv/csv_decoder.h
  csv/csv_inferred_type.h
  csv/csv_options.h
  csv/csv_records.h
  csv/csv_tokenizer.h
  csv/csv_values.h
  csv/csv_writer.h)
