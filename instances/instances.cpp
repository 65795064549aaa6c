#include <deconvnet/deconvnet.hpp>

#define DECONVNET_INSTANCE template
#include "instances.inc"
