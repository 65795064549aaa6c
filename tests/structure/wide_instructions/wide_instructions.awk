# objdump's listing of a program to a list of faults, one a line:
#  - a function outside the namespaces of the kernels that needs AVX, AVX2 or AVX-512, and its first such instruction;
#  - a namespace of kernels without one: then the program does not use them, or they are not seen.
# -v namespaces="avx2 avx512 ...": those in deconvnet::kernels.

# Names are compared as the compiler writes them: what stands before them, a return type, is in the way in readable ones.
# A local class or lambda begins with Z. A function that has a kernel's type among its template arguments is outside.
BEGIN {
  count = split(namespaces, names, " ")
  for (k = 1; k <= count; ++k) prefix[k] = "^_ZZ*N[VKRO]*9deconvnet7kernels" length(names[k]) names[k]
}

# 0000000000001139 <_ZN9deconvnet7kernels4avx2...>:
/^[0-9a-f]+ <.*>:$/ {
  symbol = substr($2, 2, length($2) - 3)
  inside = reported = 0
  for (k = 1; k <= count; ++k) {
    if (symbol ~ prefix[k]) inside = k
  }
  next
}

#     1139:<tab>vmovups (%rdi),%ymm0
# All that works on ymm, zmm and in three operands begins with v, all on masks with k. Older ones that begin with v belong to
# segments and hypervisors. The last line: on integers, with the same prefix.
/^ *[0-9a-f]+:\t/ {
  word = $2 ~ /^[{]/ ? $3 : $2  # {evex} vpdpbusd
  wide = word ~ /^[vk]/ && word !~ /^ver[rw]$/ &&
         word !~ /^vm(call|clear|func|gexit|launch|load|mcall|ptrld|ptrst|read|resume|run|save|write|xoff|xon)$/ ||
         word ~ /^(andn|bextr|bls(i|msk|r)|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx)$/
  if (!wide) next
  if (inside) {
    seen[inside] = 1
  } else if (!reported) {
    reported = 1
    print "  " symbol ": " substr($0, index($0, "\t") + 1)
  }
}

END {
  for (k = 1; k <= count; ++k) {
    if (!seen[k]) print "  deconvnet::kernels::" names[k] ": nothing wide in there"
  }
}
