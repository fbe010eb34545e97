list(APPEND common_sources
  expr/aggregate_signature.cc
  expr/expr.cc
  expr/function_registry.cc
  expr/type_coercion.cc)
list(APPEND common_headers
  expr/evaluator.h
  expr/expr.h
  expr/function_registry.h
  expr/type_coercion.h)
