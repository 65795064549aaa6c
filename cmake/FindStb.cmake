# stb: single headers, without a CMake package of their own. Defines stb::stb and Stb_INCLUDE_DIR, the folder that
# holds stb_image.h. Distributions have them in <prefix>/include/stb, package managers in <prefix>/include.
find_path(Stb_INCLUDE_DIR NAMES stb_image.h PATH_SUFFIXES stb)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Stb REQUIRED_VARS Stb_INCLUDE_DIR)
mark_as_advanced(Stb_INCLUDE_DIR)

if(Stb_FOUND AND NOT TARGET stb::stb)
  add_library(stb::stb INTERFACE IMPORTED)
  target_include_directories(stb::stb INTERFACE "${Stb_INCLUDE_DIR}")
endif()
