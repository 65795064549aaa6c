// The one door to stb_easy_font: letters of a few pixels as rectangles. Kept apart from a program's own copy as in
// stb.hpp.
#pragma once
#pragma GCC system_header

#include <math.h>
#include <stdlib.h>

#pragma push_macro("INCLUDE_STB_EASY_FONT_H")
#undef INCLUDE_STB_EASY_FONT_H

namespace deconvnet::stb {
#if __has_include(<stb/stb_easy_font.h>)
#include <stb/stb_easy_font.h>
#else
#include <stb_easy_font.h>
#endif
}  // namespace deconvnet::stb

#pragma pop_macro("INCLUDE_STB_EASY_FONT_H")
