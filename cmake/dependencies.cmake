# Where the dependencies come from: a package of the system (find_package), else the upstream's repository at the tag
# that Debian 12 ships, which is what everything here is tested with. FETCHCONTENT_SOURCE_DIR_<NAME> names a copy
# to use instead of the network, CMAKE_DISABLE_FIND_PACKAGE_<name> passes over the system's package.
include(FetchContent)

# deconvnet_header_only(<package> [<version>] TARGET <name> HEADER <path>... [ROOT <folder>] GIT <url> TAG <tag>)
#
# Sets DECONVNET_<package>_TARGET to the target that brings the headers of <package>. Where <package> has to be fetched
# its own CMakeLists.txt is not run: a header needs an include path only, and the tests, options and install rules of
# eight projects are nothing to push on whoever builds this one. ROOT is the include folder in the upstream's tree.
function(deconvnet_header_only package)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TARGET;ROOT;GIT;TAG" "HEADER")
  if(NOT TARGET ${arg_TARGET})
    list(PREPEND CMAKE_MODULE_PATH "${PROJECT_SOURCE_DIR}/cmake")
    find_package(${package} ${arg_UNPARSED_ARGUMENTS} QUIET)
  endif()
  if(NOT TARGET ${arg_TARGET})
    string(TOLOWER ${package} name)
    FetchContent_Declare(${name} GIT_REPOSITORY ${arg_GIT} GIT_TAG ${arg_TAG} SOURCE_SUBDIR no-cmake-lists-here)
    FetchContent_MakeAvailable(${name})
    # Upstreams and packages of distributions differ in where the headers lie.
    find_path(include_folder NAMES ${arg_HEADER} PATHS "${${name}_SOURCE_DIR}" PATH_SUFFIXES "${arg_ROOT}" include
              NO_DEFAULT_PATH NO_CACHE REQUIRED)
    # A name of our own, so that a real target of the upstream's can still be added by whoever builds this.
    set(arg_TARGET deconvnet_fetched::${name})
    if(NOT TARGET ${arg_TARGET})
      add_library(${arg_TARGET} INTERFACE IMPORTED GLOBAL)
      target_include_directories(${arg_TARGET} INTERFACE "${include_folder}")
    endif()
    message(STATUS "deconvnet: ${package} from ${include_folder}")
  endif()
  set(DECONVNET_${package}_TARGET ${arg_TARGET} PARENT_SCOPE)
endfunction()

# What the headers themselves stand on. cmake/deconvnetConfig.cmake.in names the same packages again.
macro(deconvnet_find_library_dependencies)
  find_package(Threads REQUIRED)
  deconvnet_header_only(xtl TARGET xtl HEADER xtl/xtl_config.hpp ROOT include
                        GIT https://github.com/xtensor-stack/xtl.git TAG 0.7.2)
  deconvnet_header_only(xtensor 0.24 TARGET xtensor HEADER xtensor/xtensor.hpp xtensor/containers/xtensor.hpp ROOT include
                        GIT https://github.com/xtensor-stack/xtensor.git TAG 0.24.3)
  deconvnet_header_only(Eigen3 3.4 TARGET Eigen3::Eigen HEADER Eigen/Core
                        GIT https://gitlab.com/libeigen/eigen.git TAG 3.4.0)
  # stb has no tags; this is the state of September 2022, the last with stb_image_resize.h in its first version.
  deconvnet_header_only(Stb TARGET stb::stb HEADER stb_image.h
                        GIT https://github.com/nothings/stb.git TAG 8b5f1f37b5b75829fc72d38e7b5d4bcbf8a26d55)
  deconvnet_header_only(Protozero TARGET protozero::protozero HEADER protozero/pbf_reader.hpp ROOT include
                        GIT https://github.com/mapbox/protozero.git TAG v1.7.1)
  deconvnet_header_only(nlohmann_json 3 TARGET nlohmann_json::nlohmann_json HEADER nlohmann/json.hpp ROOT include
                        GIT https://github.com/nlohmann/json.git TAG v3.11.2)
  set(DECONVNET_LIBRARY_TARGETS
      Threads::Threads ${DECONVNET_xtl_TARGET} ${DECONVNET_xtensor_TARGET} ${DECONVNET_Eigen3_TARGET}
      ${DECONVNET_Stb_TARGET} ${DECONVNET_Protozero_TARGET} ${DECONVNET_nlohmann_json_TARGET})
endmacro()

macro(deconvnet_find_test_dependencies)
  deconvnet_header_only(doctest TARGET doctest::doctest HEADER doctest/doctest.h
                        GIT https://github.com/doctest/doctest.git TAG v2.4.9)
endmacro()

macro(deconvnet_find_example_dependencies)
  deconvnet_header_only(CLI11 TARGET CLI11::CLI11 HEADER CLI/CLI.hpp ROOT include
                        GIT https://github.com/CLIUtils/CLI11.git TAG v2.1.2)
endmacro()

# Google Benchmark is the one dependency that has to be compiled.
macro(deconvnet_find_benchmark_dependencies)
  if(NOT TARGET benchmark::benchmark)
    find_package(benchmark QUIET)
  endif()
  if(NOT TARGET benchmark::benchmark)
    set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
    set(BENCHMARK_ENABLE_INSTALL OFF CACHE BOOL "" FORCE)
    FetchContent_Declare(benchmark GIT_REPOSITORY https://github.com/google/benchmark.git GIT_TAG v1.7.1)
    FetchContent_MakeAvailable(benchmark)
  endif()
endmacro()
