# cmake -D BUILD=<folder> -D TARGET=<name> -D PROGRAM=<its file> -D PROCESSOR=<name> -D KERNELS=<folder of headers>
#       -P check_program.cmake
# fails where a function outside the kernels' own namespaces has an instruction of AVX or later, and lists them: it came to
# its flags inside a kernel's target region, and the linker may choose it for callers on machines without.
# -D LISTING=<file> in place of the first four: what objdump would say.
cmake_minimum_required(VERSION 3.25)

foreach(tool objdump awk c++filt)
  find_program(${tool} ${tool})
  if(NOT ${tool})
    message(STATUS "skipped: there is no ${tool}")
    return()
  endif()
endforeach()

if(DEFINED LISTING)
  set(list ${CMAKE_COMMAND} -E cat "${LISTING}")
else()
  if(NOT PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
    message(STATUS "skipped: ${PROCESSOR} has no such kernels")
    return()
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} --build "${BUILD}" --target ${TARGET} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${TARGET} was not built")
  endif()
  set(list ${objdump} -d --no-show-raw-insn "${PROGRAM}")
endif()

# The namespaces as the headers open them: new ones are allowed as they come, and have to be in the program.
set(namespaces "")
file(GLOB headers "${KERNELS}/*.hpp" "${KERNELS}/*.inc")
foreach(header IN LISTS headers)
  file(STRINGS "${header}" lines REGEX "^namespace [a-z0-9_]*avx[a-z0-9_]* {")
  list(TRANSFORM lines REPLACE "^namespace ([a-z0-9_]+) {.*" "\\1")
  list(APPEND namespaces ${lines})
endforeach()
list(REMOVE_DUPLICATES namespaces)
if(NOT namespaces)
  message(FATAL_ERROR "no namespaces of kernels in ${KERNELS}")
endif()
list(JOIN namespaces " " namespaces)

execute_process(COMMAND ${list}
                COMMAND ${awk} -v "namespaces=${namespaces}" -f "${CMAKE_CURRENT_LIST_DIR}/wide_instructions.awk"
                COMMAND ${c++filt}
                OUTPUT_VARIABLE faults OUTPUT_STRIP_TRAILING_WHITESPACE RESULTS_VARIABLE statuses)
if(NOT statuses STREQUAL "0;0;0")
  message(FATAL_ERROR "objdump, awk, c++filt: ${statuses}")
endif()
if(faults)
  message(FATAL_ERROR "wide instructions outside ${namespaces}, or none inside:\n${faults}")
endif()
message(STATUS "wide instructions in ${namespaces} only")
