# SPDX-License-Identifier: Apache-2.0
# Functions for authors of plugins. The built-in plugins are built by them, too.

# fusebox_add_plugin(<name> VERSION <version> [ID <library id>] [LICENSE <SPDX expression>] SOURCES <source>...)
#
# Builds <name>.so from sources that use FUSEBOX_PLUGIN. The library exports one symbol, fusebox_plugin, which a
# generated source defines. The id defaults to the name.
function(fusebox_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "VERSION;ID;LICENSE" "SOURCES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_VERSION OR NOT arg_SOURCES)
    message(FATAL_ERROR "usage: fusebox_add_plugin(<name> VERSION <version> [ID <library id>] "
            "[LICENSE <SPDX expression>] SOURCES <source>...)")
  endif()
  if(NOT arg_ID)
    set(arg_ID ${name})
  endif()
  set(entry ${CMAKE_CURRENT_BINARY_DIR}/${name}_entry.cc)
  file(CONFIGURE OUTPUT ${entry} CONTENT
       "#include <fusebox/plugins/sdk/sdk.h>\nFUSEBOX_LIBRARY(\"@arg_ID@\", \"@arg_VERSION@\", \"@arg_LICENSE@\");\n"
       @ONLY)
  add_library(${name} MODULE ${arg_SOURCES} ${entry})
  target_link_libraries(${name} PRIVATE fusebox::sdk)
  _fusebox_export_only_the_entry(${name})
endfunction()

# fusebox_add_model(<name> SOURCES <source>...)
#
# Builds a model definition twice: as the program <name>, and, with FUSEBOX_MODEL_LIBRARY defined, as the model plugin
# <name>.so, which the fusebox command loads. The sources use FUSEBOX_MODEL and define main.
function(fusebox_add_model name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "usage: fusebox_add_model(<name> SOURCES <source>...)")
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE fusebox::fusebox)

  add_library(${name}_plugin MODULE ${arg_SOURCES})
  set_target_properties(${name}_plugin PROPERTIES OUTPUT_NAME ${name})
  target_compile_definitions(${name}_plugin PRIVATE FUSEBOX_MODEL_LIBRARY)
  target_link_libraries(${name}_plugin PRIVATE fusebox::fusebox)
  _fusebox_export_only_the_entry(${name}_plugin)
endfunction()

# Hidden visibility alone would still export symbols that libstdc++ marks as unique; the version script keeps one
# symbol.
function(_fusebox_export_only_the_entry target)
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  set_target_properties(${target} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON CXX_EXTENSIONS OFF LINK_DEPENDS ${map})
  # Error messages name the source of a layer relative to the project's root.
  target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
  target_link_options(${target} PRIVATE -Wl,--gc-sections -Wl,--version-script=${map})
  if(NOT FUSEBOX_SANITIZE)  # The sanitizer's functions are defined in the program.
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
endfunction()
