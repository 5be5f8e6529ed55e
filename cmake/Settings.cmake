# SPDX-License-Identifier: Apache-2.0
# Compiler settings for all targets.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# Checks stay on in a release build: the hot loops are JIT-compiled, so there is no NDEBUG. -O3 takes longer and gains
# nothing.
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_RELEASE "-O2")

# Warnings for our own targets; third-party headers are SYSTEM.
set(FUSEBOX_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these two wrongly in inlined std and absl containers.
  list(APPEND FUSEBOX_WARNINGS -Wno-maybe-uninitialized -Wno-restrict)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # std::stable_sort of libstdc++ 12 calls a function that it deprecates itself.
  list(APPEND FUSEBOX_WARNINGS -Wno-deprecated-declarations)
endif()

# Messages and source locations name files relative to the root, also those reached through the include links. The last
# matching option wins.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${PROJECT_BINARY_DIR}/include/fusebox/=)

# The build id ties compiled programs on disk to the build of the compiler that made them.
add_link_options(-Wl,--build-id=sha1)

# fusebox_precompile(<target> <header>...)
#
# Parses these headers once for all sources of the target. This is only for speed: sources still include what they use,
# and build with -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON. g++ gains little from it.
function(fusebox_precompile target)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  list(TRANSFORM ARGN REPLACE "(.+)" "<\\1>" OUTPUT_VARIABLE headers)
  target_precompile_headers(${target} PRIVATE ${headers})
  # Lets ccache reuse an object as long as the text of the headers is unchanged.
  target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endfunction()

if(FUSEBOX_SANITIZE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # This check looks for a signature before each function that is called by address. Compiled programs have none.
    list(APPEND FUSEBOX_UNSANITIZED -fno-sanitize=function)
  endif()
  add_compile_options(-fsanitize=${FUSEBOX_SANITIZE} -fno-sanitize-recover=all ${FUSEBOX_UNSANITIZED}
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FUSEBOX_SANITIZE})
endif()

# The installed tree works in any location.
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/archive)

find_program(CCACHE ccache)
mark_as_advanced(CCACHE)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  # Without this setting, ccache does not cache sources that use precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
