# How each folder of the project becomes a library, and how each test becomes a target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  find_program(WEIR_CCACHE ccache)
  if(WEIR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # So that a clone in another folder finds what was compiled in this one.
    set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${WEIR_CCACHE})
  endif()
endif()

# Sixty programs are linked with the library: mold takes a quarter of the time of GNU's linker.
find_program(WEIR_MOLD mold)
if(PROJECT_IS_TOP_LEVEL AND WEIR_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Flags of all our own code.
add_library(weir_flags INTERFACE)
target_compile_options(weir_flags INTERFACE -Wall -Wextra -Wno-unused-parameter
  -Wno-missing-field-initializers
  # GCC 12 sees overlaps in its own std::string and unset members in its own std::variant that are
  # not there (bugs 105651 and 105562).
  -Wno-restrict -Wno-maybe-uninitialized
  # Files that are compiled together look like headers to it.
  $<$<BOOL:${WEIR_UNITY}>:-Wno-subobject-linkage>
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

set_property(GLOBAL PROPERTY WEIR_LAYERS "")

# Files whose local names are those of others.
function(weir_compile_alone)
  if(ARGN)
    set_source_files_properties(${ARGN} PROPERTIES WEIR_ALONE ON)
  endif()
endfunction()

# Where WEIR_UNITY is on (all presets but dev), a target's files are compiled eight at a time: a clean
# build takes a third of the time. CMake's own unity files include by absolute paths, which the
# compiler's cache takes for another text in each clone; these include as all our files do.
set(weir_files_together 8)

function(weir_write_together target number includes)
  get_target_property(folder ${target} BINARY_DIR)
  set(file ${folder}/together/${target}_${number}.cc)
  file(CONFIGURE OUTPUT ${file} CONTENT "${includes}" @ONLY)
  set_property(TARGET ${target} APPEND PROPERTY SOURCES ${file})
endfunction()

function(weir_compile_together target)
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  set(kept "")
  set(together "")
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${folder} NORMALIZE OUTPUT_VARIABLE path)
    get_source_file_property(alone ${path} TARGET_DIRECTORY ${target} WEIR_ALONE)
    cmake_path(IS_PREFIX weir_SOURCE_DIR ${path} ours)
    cmake_path(IS_PREFIX weir_BINARY_DIR ${path} generated)
    if(path MATCHES "\\.cc$" AND ours AND NOT generated AND NOT alone)
      cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${weir_SOURCE_DIR})
      list(APPEND together ${path})
    else()
      list(APPEND kept ${source})
    endif()
  endforeach()
  list(LENGTH together count)
  if(count LESS 2)
    return()
  endif()
  set_property(TARGET ${target} PROPERTY SOURCES ${kept})
  target_include_directories(${target} PRIVATE ${weir_SOURCE_DIR})
  set(includes "")
  set(number 0)
  foreach(path IN LISTS together)
    math(EXPR place "${number} % ${weir_files_together}")
    if(place EQUAL 0 AND includes)
      weir_write_together(${target} ${number} "${includes}")
      set(includes "")
    endif()
    string(APPEND includes "#include \"${path}\"\n")
    math(EXPR number "${number} + 1")
  endforeach()
  weir_write_together(${target} ${number} "${includes}")
endfunction()

# All targets of a folder and of those below it; called when the last one is there.
function(weir_compile_all_together folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "STATIC_LIBRARY" OR type STREQUAL "EXECUTABLE")
      weir_compile_together(${target})
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(below IN LISTS folders)
    weir_compile_all_together(${below})
  endforeach()
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
# by ctest. What is tested is compiled as it is shipped; the tests themselves need no speed, and take
# half the time to compile without optimization.
function(weir_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;ALONE;DEPENDS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  weir_compile_alone(${arg_ALONE})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} weir_flags GTest::gtest GTest::gtest_main)
  target_compile_options(${name} PRIVATE -O0)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
endfunction()
