# SPDX-License-Identifier: Apache-2.0
# Runs at installation. Installs the public headers only: the users' two headers and those that they include.
#
# Takes FUSEBOX_SOURCE_DIR.
cmake_minimum_required(VERSION 3.25)
include(${FUSEBOX_SOURCE_DIR}/cmake/PublicHeaders.cmake)
set(prefix ${CMAKE_INSTALL_PREFIX}/include/fusebox)
fusebox_public_headers(${FUSEBOX_SOURCE_DIR} headers)
foreach(header ${headers})
  cmake_path(GET header PARENT_PATH folder)
  file(INSTALL ${FUSEBOX_SOURCE_DIR}/${header} DESTINATION ${prefix}/${folder})
endforeach()
file(INSTALL ${FUSEBOX_SOURCE_DIR}/runtime/fusebox.h DESTINATION ${prefix})
