# Columns, expressions and functions. Every file of a function family (…_functions.cc,
# …_aggregates.cc) belongs to it.
file(GLOB weir_function_families CONFIGURE_DEPENDS
  ${CMAKE_CURRENT_LIST_DIR}/functions/*_functions.cc
  ${CMAKE_CURRENT_LIST_DIR}/functions/*_aggregates.cc
  ${CMAKE_CURRENT_LIST_DIR}/functions/*_text.cc)
weir_layer(exec_core
  SOURCES
    column/arrow_export.cc
    column/buffer.cc
    column/builder.cc
    column/chunk.cc
    column/column.cc
    column/compare.cc
    column/gather.cc
    column/value_text.cc
    ${weir_function_families}
    functions/cell.cc
    functions/java_date_format.cc
    functions/time_zone.cc
  DEPENDS weir_base
  PRIVATE_DEPENDS fmt::fmt absl::flat_hash_map absl::time absl::strings absl::hash
    simdjson::simdjson OpenSSL::Crypto PkgConfig::RE2 PkgConfig::UTF8PROC)
