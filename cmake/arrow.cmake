# Apache Arrow C++ and Parquet: an installed Arrow 26 if there is one, else the C++ headers and
# libraries out of the pyarrow wheel (pip is needed to configure, Python is not needed to run).

set(TIDEMILL_ARROW_VERSION 26.0.1)
set(TIDEMILL_ARROW_WHEEL_SHA256 39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c)

if(DEFINED ENV{TIDEMILL_DEPS})
  set(default_deps $ENV{TIDEMILL_DEPS})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(default_deps $ENV{XDG_CACHE_HOME}/tidemill)
else()
  set(default_deps $ENV{HOME}/.cache/tidemill)
endif()
set(TIDEMILL_DEPS ${default_deps} CACHE PATH "where fetched dependencies are kept, shared by all build trees")

find_package(Arrow 26 QUIET)
find_package(Parquet 26 QUIET)
if(Arrow_FOUND AND Parquet_FOUND)
  add_library(tidemill_arrow INTERFACE)
  target_link_libraries(tidemill_arrow INTERFACE Arrow::arrow_shared Parquet::parquet_shared)
else()
  set(arrow_root ${TIDEMILL_DEPS}/arrow-${TIDEMILL_ARROW_VERSION})
  if(NOT EXISTS ${arrow_root}/ready)
    message(STATUS "Fetching Arrow C++ ${TIDEMILL_ARROW_VERSION} (pyarrow wheel)")
    set(download ${TIDEMILL_DEPS}/download)
    file(MAKE_DIRECTORY ${download})
    execute_process(
      COMMAND python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 311
              --implementation cp --abi cp311 --platform manylinux_2_28_x86_64
              --dest ${download} pyarrow==${TIDEMILL_ARROW_VERSION}
      RESULT_VARIABLE failed)
    if(failed)
      message(FATAL_ERROR "pip could not download pyarrow==${TIDEMILL_ARROW_VERSION}; install python3-pip or an Arrow 26 package")
    endif()
    set(wheel ${download}/pyarrow-${TIDEMILL_ARROW_VERSION}-cp311-cp311-manylinux_2_28_x86_64.whl)
    file(SHA256 ${wheel} actual)
    if(NOT actual STREQUAL TIDEMILL_ARROW_WHEEL_SHA256)
      message(FATAL_ERROR "checksum of ${wheel} differs: want=${TIDEMILL_ARROW_WHEEL_SHA256} got=${actual}")
    endif()
    file(ARCHIVE_EXTRACT INPUT ${wheel} DESTINATION ${arrow_root}
         PATTERNS pyarrow/include/* pyarrow/libarrow.so* pyarrow/libarrow_compute.so* pyarrow/libparquet.so*)
    file(REMOVE ${wheel})
    file(TOUCH ${arrow_root}/ready)
  endif()
  add_library(tidemill_arrow INTERFACE)
  foreach(name arrow arrow_compute parquet)
    add_library(tidemill_${name}_shared SHARED IMPORTED)
    set_target_properties(tidemill_${name}_shared PROPERTIES
      IMPORTED_LOCATION ${arrow_root}/pyarrow/lib${name}.so.2600
      INTERFACE_INCLUDE_DIRECTORIES ${arrow_root}/pyarrow/include)
    target_link_libraries(tidemill_arrow INTERFACE tidemill_${name}_shared)
  endforeach()
endif()
add_library(tidemill::arrow ALIAS tidemill_arrow)
