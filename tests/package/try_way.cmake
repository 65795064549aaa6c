# cmake -D WAY=... -D SOURCE=... -D BUILD=... -D WORK=... -D GENERATOR=... -D COMPILER=... -P try_way.cmake
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: ${status}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
set(consumer "${CMAKE_CURRENT_LIST_DIR}/consumer")

if(WAY STREQUAL command_line)
  # No CMake at all: what README promises of the plain compiler, with every warning on.
  run(${COMPILER} -std=c++20 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
      -I "${SOURCE}/include" -I /usr/include/eigen3 "${consumer}/main.cpp" "${consumer}/second.cpp" -pthread
      -o "${WORK}/consumer")
  run("${WORK}/consumer")
  return()
endif()

set(arguments -D WAY=${WAY} -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_BUILD_TYPE=Debug)
if(WAY STREQUAL find_package)
  # Installed to one place and moved to another: the package must not know where it was.
  run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${WORK}/first prefix")
  file(RENAME "${WORK}/first prefix" "${WORK}/moved prefix")
  list(APPEND arguments -D "CMAKE_PREFIX_PATH=${WORK}/moved prefix")
else()
  list(APPEND arguments -D "DECONVNET=${SOURCE}")
  # Dependencies come to the consumer as they came to this build.
  file(STRINGS "${BUILD}/CMakeCache.txt" choices REGEX "^(FETCHCONTENT_SOURCE_DIR_|CMAKE_DISABLE_FIND_PACKAGE_)")
  list(TRANSFORM choices PREPEND -D)
  list(APPEND arguments ${choices})
endif()
run(${CMAKE_COMMAND} -S "${consumer}" -B "${WORK}/build" -G "${GENERATOR}" ${arguments})
run(${CMAKE_COMMAND} --build "${WORK}/build")
run("${WORK}/build/consumer")
