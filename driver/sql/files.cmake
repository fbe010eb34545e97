list(APPEND driver_sources
  sql/ast_text.cc
  sql/lexer.cc
  sql/parse_call.cc
  sql/parse_expression.cc
  sql/parse_names.cc
  sql/parse_primary.cc
  sql/parse_select.cc
  sql/parser.cc
  sql/string_escape.cc
  sql/token_cursor.cc)
list(APPEND driver_headers
  sql/ast.h
  sql/ast_text.h
  sql/lexer.h
  sql/parser.h
  sql/parser_impl.h
  sql/string_escape.h
  sql/token_cursor.h)
