list(APPEND driver_sources
  sql/ast_text.cc
  sql/lexer.cc
  sql/grammar/parse_call.cc
  sql/grammar/parse_expression.cc
  sql/grammar/parse_names.cc
  sql/grammar/parse_primary.cc
  sql/grammar/parse_query.cc
  sql/grammar/parse_relation.cc
  sql/grammar/parse_select.cc
  sql/grammar/parse_table_clauses.cc
  sql/grammar/parse_window.cc
  sql/parameters.cc
  sql/parser.cc
  sql/query_tables.cc
  sql/string_escape.cc
  sql/token_cursor.cc)
list(APPEND driver_headers
  sql/ast.h
  sql/ast_expr.h
  sql/ast_text.h
  sql/lexer.h
  sql/parameters.h
  sql/parser.h
  sql/grammar/parser_impl.h
  sql/query_tables.h
  sql/string_escape.h
  sql/token_cursor.h)
