# Columns, expressions and functions. Every file of functions/ belongs to it.
file(GLOB weir_function_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/functions/*.cc
  ${CMAKE_CURRENT_LIST_DIR}/functions/*/*.cc)
# Tables of functions call the same things by the same names.
file(GLOB weir_function_tables CONFIGURE_DEPENDS
  ${CMAKE_CURRENT_LIST_DIR}/functions/*_functions.cc
  ${CMAKE_CURRENT_LIST_DIR}/functions/scalar/*_functions.cc)
weir_layer(exec_core
  SOURCES
    column/arrow_export.cc
    column/block_pool.cc
    column/buffer.cc
    column/builder.cc
    column/chunk.cc
    column/column.cc
    column/compare.cc
    column/gather.cc
    column/value_text.cc
    expr/call_nodes.cc
    expr/cast.cc
    expr/collection_nodes.cc
    expr/compiler.cc
    expr/expr_program.cc
    expr/leaf_nodes.cc
    expr/logical_nodes.cc
    expr/node.cc
    ${weir_function_sources}
    column/column_limit.cc
    column/chunk_parts.cc
  ALONE ${weir_function_tables}
  DEPENDS weir_base weir_planner
  PRIVATE_DEPENDS fmt::fmt absl::flat_hash_map absl::flat_hash_set absl::time absl::strings
    absl::hash simdjson::simdjson OpenSSL::Crypto PkgConfig::RE2 PkgConfig::UTF8PROC)
