# SPDX-License-Identifier: Apache-2.0
# Installs fusebox. The installed tree has the layout of build/<preset> and can be moved as a whole:
#
#   bin/fusebox   lib/libfusebox.so   lib/fusebox/{fusebox-h5read,plugins/}   lib/cmake/fusebox/   include/fusebox/
include(CMakePackageConfigHelpers)
if(NOT TARGET fusebox)
  return()
endif()
set_target_properties(fusebox PROPERTIES INSTALL_RPATH $ORIGIN)
install(TARGETS fusebox fusebox_sdk EXPORT fuseboxTargets LIBRARY DESTINATION lib)
install(EXPORT fuseboxTargets NAMESPACE fusebox:: DESTINATION lib/cmake/fusebox)
if(TARGET fusebox-h5read)
  install(TARGETS fusebox-h5read RUNTIME DESTINATION lib/fusebox)
endif()
if(TARGET fusebox_command)
  install(TARGETS fusebox_command RUNTIME DESTINATION bin)
endif()

# None of the public headers includes LLVM, HDF5, Boost or a JSON library.
install(CODE "set(FUSEBOX_SOURCE_DIR [[${PROJECT_SOURCE_DIR}]])")
install(SCRIPT cmake/InstallHeaders.cmake)
install(FILES ${FUSEBOX_INCLUDE_DIR}/fusebox/build_id.h DESTINATION include/fusebox)

configure_package_config_file(cmake/fuseboxConfig.cmake.in ${PROJECT_BINARY_DIR}/fuseboxConfig.cmake
                              INSTALL_DESTINATION lib/cmake/fusebox)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fuseboxConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fuseboxConfig.cmake ${PROJECT_BINARY_DIR}/fuseboxConfigVersion.cmake
        cmake/FuseboxPlugin.cmake cmake/plugin.map DESTINATION lib/cmake/fusebox)
install(FILES LICENSE DESTINATION share/doc/fusebox)
