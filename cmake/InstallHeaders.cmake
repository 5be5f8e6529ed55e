# SPDX-License-Identifier: Apache-2.0
# Run at installation. Public headers are the users' two, and what they include: nothing else is installed.
#
# Takes FUSEBOX_SOURCE_DIR.
cmake_minimum_required(VERSION 3.25)
set(prefix ${CMAKE_INSTALL_PREFIX}/include/fusebox)
set(pending runtime/fusebox.h plugins/sdk/sdk.h)
set(seen ${pending})
while(pending)
  list(POP_FRONT pending header)
  cmake_path(GET header PARENT_PATH folder)
  file(INSTALL ${FUSEBOX_SOURCE_DIR}/${header} DESTINATION ${prefix}/${folder})
  file(STRINGS ${FUSEBOX_SOURCE_DIR}/${header} includes REGEX "^#include [\"<]fusebox/")
  foreach(include ${includes})
    string(REGEX REPLACE "^#include [\"<]fusebox/([^\">]*).*" "\\1" include "${include}")
    if(NOT include IN_LIST seen)
      list(APPEND pending ${include})
      list(APPEND seen ${include})
    endif()
  endforeach()
endwhile()
file(INSTALL ${FUSEBOX_SOURCE_DIR}/runtime/fusebox.h DESTINATION ${prefix})
