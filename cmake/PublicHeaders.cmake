# SPDX-License-Identifier: Apache-2.0
# fusebox_public_headers(<source folder> <variable>)
#
# Lists the users' two headers and all of ours that they include, relative to the source folder, in breadth-first order.
# The generated header (build_id.h) is left out.
function(fusebox_public_headers source_dir result)
  set(pending runtime/fusebox.h plugins/sdk/sdk.h)
  set(seen ${pending})
  while(pending)
    list(POP_FRONT pending header)
    file(STRINGS ${source_dir}/${header} includes REGEX "^#include [\"<]fusebox/")
    foreach(include ${includes})
      string(REGEX REPLACE "^#include [\"<]fusebox/([^\">]*).*" "\\1" include "${include}")
      if(NOT include STREQUAL "build_id.h" AND NOT include IN_LIST seen)
        list(APPEND pending ${include})
        list(APPEND seen ${include})
      endif()
    endforeach()
  endwhile()
  set(${result} ${seen} PARENT_SCOPE)
endfunction()
