# cmake -D WORK=<folder> -P broken_listings.cmake: the negative test of check_program.cmake. A sound listing passes; with any
# one of the functions below it is refused by that function's name.
cmake_minimum_required(VERSION 3.25)

function(check_listing listing)
  file(WRITE "${WORK}/listing.txt" "${listing}")
  execute_process(COMMAND ${CMAKE_COMMAND} -D KERNELS=${WORK} -D LISTING=${WORK}/listing.txt
                                           -P ${CMAKE_CURRENT_LIST_DIR}/check_program.cmake
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  # Messages are wrapped at 80 columns.
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  set(status "${status}" PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

# A function of one instruction, as objdump prints it.
function(lists out symbol instruction)
  set(${out} "${${out}}\n0000000000001130 <${symbol}>:\n    1130:\tpush   %rbp\n    1131:\t${instruction}\n    1139:\tret\n"
      PARENT_SCOPE)
endfunction()

# One more function in the sound listing, and a piece of the message it has to bring.
function(refused symbol instruction message)
  set(listing "${sound}")
  lists(listing ${symbol} "${instruction}")
  check_listing("${listing}")
  string(FIND "${output}" "${message}" found)
  if(status EQUAL 0 OR found EQUAL -1)
    message(SEND_ERROR "${instruction} in ${symbol} should be refused with \"${message}\", but: ${status}, ${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(WRITE "${WORK}/gemm.hpp" "namespace portable {\n}\nnamespace avx2 {\n}  // namespace avx2\n")
file(WRITE "${WORK}/each_level.inc" "namespace avx512_kernels {\n}\n")

set(avx2_alone "program:     file format elf64-x86-64\n\nDisassembly of section .text:\n")
lists(avx2_alone main "call   1130 <_ZN9deconvnet7kernels4avx28multiplyIfEEvPT_>")
lists(avx2_alone _ZN9deconvnet7kernels8portable8multiplyIfEEvPT_ "addps  %xmm1,%xmm0")
lists(avx2_alone _ZN9deconvnet7kernels4avx28multiplyIfEEvPT_ "vmovups (%rdi),%ymm0")
lists(avx2_alone segments "verw   %ax")
lists(avx2_alone guest "vmcall")
set(sound "${avx2_alone}")
lists(sound _ZZN9deconvnet7kernels14avx512_kernels7rectifyIfEEvPT_ENKUlvE_clEv.cold "vmovaps %zmm0,%zmm1")

check_listing("${sound}")
if(output MATCHES "skipped: ")
  message(STATUS "${output}")
  return()
endif()
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the sound listing was refused: ${output}")
endif()

refused(main "vmovups (%rdi),%ymm0" "main: vmovups (%rdi),%ymm0")
refused(_ZSt3maxIfERKT_S2_S2_ "vmaxss %xmm0,%xmm1,%xmm0" "float const& std::max<float>(float const&, float const&): vmaxss")
refused(_ZN9deconvnet7kernels4gemmEv "vmovups %zmm0,(%rdi)" "deconvnet::kernels::gemm(): vmovups")
refused(_ZN9deconvnet7kernels8portable4foldEv.part.0 "vzeroupper" "deconvnet::kernels::portable::fold() [clone .part.0]: vzeroupper")
refused(_ZSt4moveIN9deconvnet7kernels4avx24tileEEvT_ "vpxor  %xmm0,%xmm0,%xmm0" "(deconvnet::kernels::avx2::tile): vpxor")
refused(main "kmovw  %eax,%k1" "main: kmovw")
refused(main "{evex} vpdpbusd %ymm0,%ymm1,%ymm2" "main: {evex}")
refused(main "shlx   %rax,%rbx,%rcx" "main: shlx")

set(sound "${avx2_alone}")
refused(_ZN9deconvnet7kernels14avx512_kernels4foldEv "addps  %xmm1,%xmm0" "deconvnet::kernels::avx512_kernels: nothing wide")

file(REMOVE_RECURSE "${WORK}")
