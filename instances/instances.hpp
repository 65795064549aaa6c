// What most of this project's tests and examples use of the library, for float and double, compiled once for all of them
// (instances.cpp) instead of once in each: declared here, they take a third less time to compile. Nothing depends on the list
// being complete; what is not in it is compiled where it is used.
#pragma once

#include <deconvnet/deconvnet.hpp>

#define DECONVNET_INSTANCE extern template
#include "instances.inc"
#undef DECONVNET_INSTANCE
