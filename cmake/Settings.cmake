# SPDX-License-Identifier: Apache-2.0
# How everything is compiled.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# Checks stay on in a release: the hot loops are jitted, so no NDEBUG. -O3 takes longer to compile and gains nothing.
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_RELEASE "-O2")

# Targets name these for our own code; other people's headers are SYSTEM.
set(FUSEBOX_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees these two in inlined std and absl containers where they are not.
  list(APPEND FUSEBOX_WARNINGS -Wno-maybe-uninitialized -Wno-restrict)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own std::stable_sort calls what it deprecates.
  list(APPEND FUSEBOX_WARNINGS -Wno-deprecated-declarations)
endif()

# Messages and source locations name files from the root on, also those reached through the include links. The last
# match counts.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${PROJECT_BINARY_DIR}/include/fusebox/=)

# Compiled programs on disk are found again by the build of the compiler that made them.
add_link_options(-Wl,--build-id=sha1)

# fusebox_precompile(<target> <header>...)
#
# Parses these headers once for all sources of the target. That is for speed alone: a source still includes what it uses,
# and builds with -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON. g++ gains little by it.
function(fusebox_precompile target)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  list(TRANSFORM ARGN REPLACE "(.+)" "<\\1>" OUTPUT_VARIABLE headers)
  target_precompile_headers(${target} PRIVATE ${headers})
  # What ccache keeps holds as long as the headers' text does.
  target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endfunction()

if(FUSEBOX_SANITIZE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Looks for a mark in front of each function that is called by its address: a compiled program's have none.
    list(APPEND FUSEBOX_UNSANITIZED -fno-sanitize=function)
  endif()
  add_compile_options(-fsanitize=${FUSEBOX_SANITIZE} -fno-sanitize-recover=all ${FUSEBOX_UNSANITIZED} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FUSEBOX_SANITIZE})
endif()

# An installed tree works wherever it is moved to.
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/archive)

find_program(CCACHE ccache)
mark_as_advanced(CCACHE)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  # Without that, ccache does not keep what uses precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
