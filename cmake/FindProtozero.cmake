# protozero: headers only, without a CMake package of its own. Defines protozero::protozero and Protozero_INCLUDE_DIR.
find_path(Protozero_INCLUDE_DIR NAMES protozero/pbf_reader.hpp)

if(Protozero_INCLUDE_DIR AND EXISTS "${Protozero_INCLUDE_DIR}/protozero/version.hpp")
  file(STRINGS "${Protozero_INCLUDE_DIR}/protozero/version.hpp" Protozero_VERSION REGEX "define PROTOZERO_VERSION_STRING ")
  string(REGEX REPLACE ".*\"([0-9.]+)\".*" "\\1" Protozero_VERSION "${Protozero_VERSION}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Protozero REQUIRED_VARS Protozero_INCLUDE_DIR VERSION_VAR Protozero_VERSION)
mark_as_advanced(Protozero_INCLUDE_DIR)

if(Protozero_FOUND AND NOT TARGET protozero::protozero)
  add_library(protozero::protozero INTERFACE IMPORTED)
  target_include_directories(protozero::protozero INTERFACE "${Protozero_INCLUDE_DIR}")
endif()
