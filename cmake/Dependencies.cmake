# SPDX-License-Identifier: Apache-2.0
# Finds the libraries that fusebox is built on. packages.txt lists their Debian packages.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)

set(FUSEBOX_ABSL absl::status absl::statusor absl::strings absl::str_format absl::span absl::flat_hash_map
    absl::flat_hash_set)

# Boost.DLL is header-only: with std::filesystem it needs no Boost library.
find_package(Boost 1.81 REQUIRED)
target_compile_definitions(Boost::headers INTERFACE BOOST_DLL_USE_STD_FS)

# Debian's LLVM 19 rejects a request without the minor version.
find_package(LLVM 19.1 REQUIRED CONFIG)
add_library(fusebox_llvm INTERFACE)
separate_arguments(definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
target_compile_definitions(fusebox_llvm INTERFACE ${definitions})
target_include_directories(fusebox_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
target_link_libraries(fusebox_llvm INTERFACE LLVM)

pkg_search_module(HDF5 REQUIRED IMPORTED_TARGET hdf5-serial hdf5)
add_library(fusebox_hdf5 INTERFACE)
target_link_libraries(fusebox_hdf5 INTERFACE PkgConfig::HDF5)

pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
add_library(fusebox_libzip INTERFACE)
target_link_libraries(fusebox_libzip INTERFACE PkgConfig::LIBZIP)

find_path(CSV_INCLUDE_DIR csv.h REQUIRED)
find_library(CSV_LIBRARY csv REQUIRED)
mark_as_advanced(CSV_INCLUDE_DIR CSV_LIBRARY)
add_library(fusebox_csv INTERFACE)
target_include_directories(fusebox_csv SYSTEM INTERFACE ${CSV_INCLUDE_DIR})
target_link_libraries(fusebox_csv INTERFACE ${CSV_LIBRARY})
