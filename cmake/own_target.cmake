# deconvnet_own_target(<target>): the warnings this project's own programs are built with. They belong to these
# targets alone; whoever links deconvnet::deconvnet gets no flag from it.
function(deconvnet_own_target target)
  target_link_libraries(${target} PRIVATE deconvnet::deconvnet)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF COMPILE_WARNING_AS_ERROR "${DECONVNET_WARNINGS_AS_ERRORS}")
endfunction()

# deconvnet_precompile(<target> ...): target_precompile_headers for such a program, instances/instances.hpp among them, and what
# that declares. g++ 12 forgets the "#pragma GCC diagnostic" of what it precompiled: the two warnings that
# kernels/each_level.inc turns off are off here for the whole of a program.
# Benchmarks and tests/package, which precompile nothing, see them.
function(deconvnet_precompile target)
  target_precompile_headers(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE deconvnet_instances)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi;-Wno-maybe-uninitialized>)
endfunction()
