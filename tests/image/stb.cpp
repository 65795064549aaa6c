// A program's own stb, before ours and after it, with its implementation: both work, and its settings stay.
#define STBI_NO_GIF 1
#define STBI_MAX_DIMENSIONS 77
#define STB_IMAGE_STATIC
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif

#include <deconvnet/image/stb.hpp>

#if STBI_MAX_DIMENSIONS != 77 || !defined(STBI_NO_GIF) || defined(STBI_ONLY_PNG) || defined(STBI_NO_STDIO)
#error "the program's settings were changed"
#endif
#if defined(STB_IMAGE_IMPLEMENTATION) || defined(STB_IMAGE_WRITE_IMPLEMENTATION) || defined(STBI_MALLOC) || \
    defined(stbi__err)
#error "macros were left behind"
#endif

#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic ignored "-Wunused-function"
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif

#if __has_include(<stb/stb_easy_font.h>)
#include <stb/stb_easy_font.h>
#else
#include <stb_easy_font.h>
#endif

#include <vector>

#include <doctest/doctest.h>

TEST_CASE("ours and the program's own stb read the same picture side by side") {
  std::vector<unsigned char> file;
  const auto append = [](void* context, void* data, int size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    static_cast<std::vector<unsigned char>*>(context)->insert(static_cast<std::vector<unsigned char>*>(context)->end(),
                                                              bytes, bytes + size);
  };
  const unsigned char pixels[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  REQUIRE(deconvnet::stb::stbi_write_png_to_func(append, &file, 2, 2, 3, pixels, 6));
  int width = 0;
  int height = 0;
  int channels = 0;
  unsigned char* mine =
      stbi_load_from_memory(file.data(), static_cast<int>(file.size()), &width, &height, &channels, 0);
  unsigned char* ours =
      deconvnet::stb::stbi_load_from_memory(file.data(), static_cast<int>(file.size()), &width, &height, &channels, 0);
  REQUIRE(mine);
  REQUIRE(ours);
  CHECK(width == 2);
  CHECK(height == 2);
  CHECK(channels == 3);
  CHECK(std::vector<int>(mine, mine + 12) == std::vector<int>(ours, ours + 12));
  CHECK(ours[11] == 12);
  stbi_image_free(mine);
  deconvnet::stb::stbi_image_free(ours);
}

TEST_CASE("ours and the program's own font measure the same text side by side") {
  char text[] = "conv5 (17)";
  CHECK(deconvnet::stb::stb_easy_font_width(text) == stb_easy_font_width(text));
  CHECK(deconvnet::stb::stb_easy_font_width(text) > 40);
}
