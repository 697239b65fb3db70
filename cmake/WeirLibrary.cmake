# weir::weir, the one library an embedding program links: the objects of all layers.
get_property(weir_layers GLOBAL PROPERTY WEIR_LAYERS)
set(weir_objects "")
set(weir_private_links "")
foreach(layer IN LISTS weir_layers)
  list(APPEND weir_objects $<TARGET_OBJECTS:${layer}>)
endforeach()
add_library(weir STATIC ${weir_objects})
add_library(weir::weir ALIAS weir)
set_target_properties(weir PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME weir)
target_include_directories(weir PUBLIC
  $<BUILD_INTERFACE:${weir_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
target_compile_features(weir PUBLIC cxx_std_20)
target_link_libraries(weir PRIVATE
  fmt::fmt spdlog::spdlog simdjson::simdjson RocksDB::rocksdb-shared antlr4_shared
  absl::btree absl::flat_hash_map absl::int128 absl::time absl::strings absl::hash
  OpenSSL::Crypto PkgConfig::PROTOBUF PkgConfig::RDKAFKA PkgConfig::RE2 PkgConfig::UTF8PROC ZLIB::ZLIB
  PkgConfig::ZSTD CURL::libcurl Threads::Threads)

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
install(TARGETS weir EXPORT weirTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/weir DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT weirTargets NAMESPACE weir:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
configure_package_config_file(cmake/weirConfig.cmake.in weirConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
write_basic_package_version_file(weirConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/weirConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/weirConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
