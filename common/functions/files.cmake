list(APPEND common_sources
  functions/ansi_errors.cc
  functions/arithmetic.cc
  functions/cast/cast.cc
  functions/cast/cast_datetime.cc
  functions/cast/cast_number.cc
  functions/cast/cast_text.cc
  functions/columns.cc
  functions/comparison.cc
  functions/conditional.cc
  functions/decimal.cc
  functions/logic.cc
  functions/signature.cc)
list(APPEND common_headers
  functions/ansi_errors.h
  functions/cast/cast.h
  functions/cast/cast_rules.h
  functions/columns.h
  functions/comparison.h
  functions/datetime.h
  functions/decimal.h
  functions/signature.h)
