# The flags of every Tidemill target, in one interface target; nothing global but the build types.

option(TIDEMILL_WERROR "treat warnings as errors" OFF)
set(TIDEMILL_SANITIZE "" CACHE STRING "value of -fsanitize=, empty for none")
set(TIDEMILL_MARCH "x86-64-v2" CACHE STRING "value of -march=, empty for the compiler's default")

# Assertions (CHECK) stay on in release builds; NDEBUG is not defined anywhere.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")

add_library(tidemill_build_flags INTERFACE)
target_compile_features(tidemill_build_flags INTERFACE cxx_std_20)
target_compile_options(tidemill_build_flags INTERFACE
  -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Werror=unused-result -Werror=return-type
  -fstack-protector-strong -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
if(TIDEMILL_MARCH AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(tidemill_build_flags INTERFACE -march=${TIDEMILL_MARCH})
endif()
if(TIDEMILL_WERROR)
  target_compile_options(tidemill_build_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(tidemill_build_flags INTERFACE -Wthread-safety)
endif()
if(TIDEMILL_SANITIZE)
  target_compile_options(tidemill_build_flags INTERFACE -fsanitize=${TIDEMILL_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tidemill_build_flags INTERFACE -fsanitize=${TIDEMILL_SANITIZE})
endif()
target_include_directories(tidemill_build_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/gen)

find_program(TIDEMILL_MOLD mold)
if(TIDEMILL_MOLD)
  target_link_options(tidemill_build_flags INTERFACE -fuse-ld=mold)
endif()
find_program(TIDEMILL_CCACHE ccache)
if(TIDEMILL_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${TIDEMILL_CCACHE})
endif()

# tidemill_library(<folder> LINK <targets...> SOURCES <.cc...> HEADERS <.h...>)
# One static library per top-level folder. Its headers are a file set, so that the target
# all_verify_interface_header_sets compiles each of them alone.
function(tidemill_library folder)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;LINK" ${ARGN})
  add_library(tidemill_${folder} STATIC ${arg_SOURCES})
  add_library(tidemill::${folder} ALIAS tidemill_${folder})
  target_sources(tidemill_${folder} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${arg_HEADERS})
  target_link_libraries(tidemill_${folder} PUBLIC ${arg_LINK} PRIVATE tidemill_build_flags)
  target_include_directories(tidemill_${folder} PUBLIC ${PROJECT_SOURCE_DIR})
  target_precompile_headers(tidemill_${folder} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
endfunction()
