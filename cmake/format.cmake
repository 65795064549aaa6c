# `cmake --build <build> --target format` brings every source file into .clang-format's shape.
find_program(CLANG_FORMAT clang-format)
mark_as_advanced(CLANG_FORMAT)
if(CLANG_FORMAT)
  file(GLOB_RECURSE formatted_files CONFIGURE_DEPENDS
       include/*.hpp tests/*.hpp tests/*.cpp examples/*.hpp examples/*.cpp benchmarks/*.hpp benchmarks/*.cpp)
  add_custom_target(format COMMAND ${CLANG_FORMAT} -i ${formatted_files} VERBATIM)
endif()
