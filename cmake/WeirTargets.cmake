# How each folder of the project becomes a library, and how each test becomes a target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  find_program(WEIR_CCACHE ccache)
  if(WEIR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${WEIR_CCACHE})
  endif()
endif()

# Flags of all our own code.
add_library(weir_flags INTERFACE)
target_compile_options(weir_flags INTERFACE -Wall -Wextra -Wno-unused-parameter
  -Wno-missing-field-initializers
  # GCC 12 sees overlaps in its own std::string and unset members in its own std::variant that are
  # not there (bugs 105651 and 105562).
  -Wno-restrict -Wno-maybe-uninitialized
  # Files that are compiled together look like headers to it.
  $<$<BOOL:${CMAKE_UNITY_BUILD}>:-Wno-subobject-linkage>
  $<$<BOOL:${WEIR_WERROR}>:-Werror>)
if(WEIR_SANITIZE)
  string(REPLACE ";" "," weir_sanitize "${WEIR_SANITIZE}")
  add_compile_options(-fsanitize=${weir_sanitize} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${weir_sanitize})
  if("undefined" IN_LIST WEIR_SANITIZE)
    # Looked for at every access, these two triple the compiler's work. The address sanitizer finds
    # null; alignment is asked of the layers that read raw bytes, below.
    add_compile_options(-fno-sanitize=null,alignment)
    set(weir_checks_alignment exec_formats exec_connect exec_state)
  endif()
endif()

# Where CMAKE_UNITY_BUILD is on (all presets but dev), files are compiled some at a time: a clean
# build takes a third of the time. Files whose local names are those of others are listed as ALONE.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)

set_property(GLOBAL PROPERTY WEIR_LAYERS "")

function(weir_compile_alone)
  if(ARGN)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# weir_layer(NAME SOURCES a.cc… ALONE a.cc… DEPENDS weir_base… PRIVATE_DEPENDS fmt::fmt…)
# A static library weir_NAME whose includes are relative to the project's root.
function(weir_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;ALONE;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(weir_${name} STATIC ${arg_SOURCES})
  weir_compile_alone(${arg_ALONE})
  if(name IN_LIST weir_checks_alignment)
    target_compile_options(weir_${name} PRIVATE -fsanitize=alignment)
  endif()
  target_include_directories(weir_${name} PUBLIC
    $<BUILD_INTERFACE:${weir_SOURCE_DIR}> $<BUILD_INTERFACE:${weir_SOURCE_DIR}/include>)
  target_link_libraries(weir_${name} PUBLIC ${arg_DEPENDS}
    PRIVATE ${arg_PRIVATE_DEPENDS} $<BUILD_INTERFACE:weir_flags>)
  set_property(GLOBAL APPEND PROPERTY WEIR_LAYERS weir_${name})
endfunction()

# weir_test(NAME SOURCES a_test.cc… ALONE a_test.cc… DEPENDS weir_base…): a GoogleTest program run
# by ctest.
function(weir_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;ALONE;DEPENDS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  weir_compile_alone(${arg_ALONE})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} weir_flags GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
endfunction()
