list(APPEND common_sources)
list(APPEND common_headers
  expr/evaluator.h
  expr/expr.h
  expr/function_registry.h)
