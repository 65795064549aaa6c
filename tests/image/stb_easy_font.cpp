#include <deconvnet/image/stb_easy_font.hpp>

#if __has_include(<stb/stb_easy_font.h>)
#include <stb/stb_easy_font.h>
#else
#include <stb_easy_font.h>
#endif

#include <doctest/doctest.h>

TEST_CASE("ours and the program's own font measure the same text side by side") {
  char text[] = "conv5 (17)";
  CHECK(deconvnet::stb::stb_easy_font_width(text) == stb_easy_font_width(text));
  CHECK(deconvnet::stb::stb_easy_font_width(text) > 40);
}
