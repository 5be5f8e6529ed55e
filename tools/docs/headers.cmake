# SPDX-License-Identifier: Apache-2.0
# Prints the public headers, one a line: cmake -P tools/docs/headers.cmake
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmake/PublicHeaders.cmake)
fusebox_public_headers(${CMAKE_CURRENT_LIST_DIR}/../.. headers)
list(JOIN headers "\n" text)
execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${text}")
