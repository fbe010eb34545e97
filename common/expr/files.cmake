list(APPEND common_sources
  expr/evaluator.cc
  expr/expr.cc
  expr/expr_text.cc
  expr/function_registry.cc
  expr/selection.cc
  expr/type_coercion.cc)
list(APPEND common_headers
  expr/evaluator.h
  expr/expr.h
  expr/expr_text.h
  expr/function_registry.h
  expr/selection.h
  expr/type_coercion.h)
