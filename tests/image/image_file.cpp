#include <deconvnet/image/image_file.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;
namespace fs = std::filesystem;

namespace {

/// A folder that goes away with the test.
struct scratch_folder {
  fs::path path = fs::temp_directory_path() / dn::detail::text("deconvnet-image-file-", reinterpret_cast<std::uintptr_t>(this));
  scratch_folder() { fs::create_directories(path); }
  ~scratch_folder() { fs::remove_all(path); }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
};

dn::tensor<float, 3> noise(std::size_t channels, std::size_t height, std::size_t width) {
  auto picture = dn::tensor<float, 3>::from_shape({channels, height, width});
  std::uint32_t state = 12345;
  for (float& value : picture) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 24);
  }
  return picture;
}

std::string message_of(const auto& call) {
  try {
    call();
  } catch (const dn::error& problem) {
    return problem.what();
  }
  return "nothing thrown";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<std::byte> bytes_of(const std::vector<int>& values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

dn::tensor<float, 3> repeated(const dn::tensor<float, 2>& grey) {
  auto picture = dn::tensor<float, 3>::from_shape({3, grey.shape(0), grey.shape(1)});
  for (std::size_t k = 0; k < picture.size(); ++k) picture.data()[k] = grey.data()[k % grey.size()];
  return picture;
}

fs::path fixture(const char* name) { return fs::path(DECONVNET_FIXTURES_DIR) / "images" / name; }

}  // namespace

TEST_CASE("a picture written without loss is read back as it was") {
  const scratch_folder folder;
  const auto picture = noise(3, 5, 7);
  for (const char* name : {"a.png", "a.bmp", "b.PNG"}) {
    CAPTURE(name);
    dn::save_image(folder.path / name, picture);
    CHECK(dn::load_image<float>(folder.path / name) == picture);
    CHECK(dn::load_image<double>(folder.path / name) == xt::cast<double>(picture));
  }
}

TEST_CASE("a picture of one pixel is read back as it was") {
  const scratch_folder folder;
  const auto picture = noise(3, 1, 1);
  dn::save_image(folder.path / "a.png", picture);
  CHECK(dn::load_image<float>(folder.path / "a.png") == picture);
}

TEST_CASE("a JPEG comes back nearly as it was") {
  const scratch_folder folder;
  auto picture = dn::tensor<float, 3>::from_shape({3, 24, 40});
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t y = 0; y < 24; ++y) {
      for (std::size_t x = 0; x < 40; ++x)
        picture(c, y, x) = static_cast<float>(20 + 5 * x + 30 * c) - static_cast<float>(y);
    }
  }
  for (const char* name : {"a.jpg", "a.Jpeg"}) {
    dn::save_image(folder.path / name, picture);
    const auto back = dn::load_image<float>(folder.path / name);
    REQUIRE(back.shape() == picture.shape());
    for (std::size_t k = 0; k < back.size(); ++k)
      CHECK(std::abs(back.data()[k] - std::min(255.f, picture.data()[k])) < 8);
  }
}

TEST_CASE("every shape a picture may have is written the same way") {
  const scratch_folder folder;
  const auto grey = noise(1, 4, 6);
  const auto as_read = repeated(xt::view(grey, 0));
  dn::save_image(folder.path / "1hw.png", grey);
  dn::save_image(folder.path / "hw.png", xt::view(grey, 0));
  dn::save_image(folder.path / "11hw.png", xt::view(grey, xt::newaxis()));
  dn::save_image(folder.path / "13hw.png", xt::view(as_read, xt::newaxis()));
  dn::save_image(folder.path / "array.png", xt::xarray<double>(grey));
  dn::save_image(folder.path / "lazy.png", 2.0 * grey - grey);
  for (const char* name : {"1hw.png", "hw.png", "11hw.png", "13hw.png", "array.png", "lazy.png"}) {
    CAPTURE(name);
    CHECK(dn::load_image<float>(folder.path / name) == as_read);
  }
}

TEST_CASE("values are rounded and clamped when written, and a NaN is refused with its index") {
  const scratch_folder folder;
  const auto path = folder.path / "a.png";
  dn::save_image(path, dn::tensor<float, 2>{{-3.f, 0.49f, 0.5f}, {254.5f, 255.4f, 1e30f}});
  CHECK(dn::load_image<float>(path) == repeated({{0, 0, 1}, {255, 255, 255}}));
  const dn::tensor<float, 2> bad{{0.f, 1.f}, {std::numeric_limits<float>::quiet_NaN(), 2.f}};
  CHECK(contains(message_of([&] { dn::save_image(path, bad); }), "NaN at index 2"));
}

TEST_CASE("shapes that are no picture are refused") {
  const scratch_folder folder;
  const auto path = folder.path / "a.png";
  CHECK_THROWS_AS(dn::save_image(path, noise(2, 3, 3)), dn::shape_error);
  CHECK_THROWS_AS(dn::save_image(path, noise(3, 0, 3)), dn::shape_error);
  CHECK_THROWS_AS(dn::save_image(path, dn::zeros<float>({2, 3, 4, 4})), dn::shape_error);
  CHECK_THROWS_AS(dn::save_image(path, dn::tensor<float, 1>{1.f}), dn::shape_error);
  CHECK(!fs::exists(path));
}

TEST_CASE("a place that cannot be written is named, and nothing is left behind") {
  const scratch_folder folder;
  const auto picture = noise(3, 2, 2);
  CHECK(contains(message_of([&] { dn::save_image(folder.path / "no" / "a.png", picture); }), "cannot be written"));
  fs::create_directories(folder.path / "b.png");
  CHECK(contains(message_of([&] { dn::save_image(folder.path / "b.png", picture); }), "a directory"));
  CHECK(contains(message_of([&] { dn::save_image(folder.path / "a.gif", picture); }), "ends in .png"));
  CHECK(contains(message_of([&] { dn::save_image(folder.path / "a", picture); }), "ends in .png"));
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("a side too long for a JPEG is refused, not wrapped") {
  const scratch_folder folder;
  const auto strip = dn::tensor<float, 2>({1, 65536}, 0.f);
  CHECK_THROWS_AS(dn::save_image(folder.path / "a.jpg", strip), dn::file_error);
  dn::save_image(folder.path / "a.png", strip);
  CHECK(dn::load_image<float>(folder.path / "a.png").shape(2) == 65536);
}

TEST_CASE("palette, grey, transparent and 16-bit files become RGB") {
  // The files are 2 x 2, made by tests/fixtures/make_images.py.
  const auto red_green = dn::tensor<float, 3>{{{255, 0}, {10, 255}}, {{0, 255}, {20, 255}}, {{0, 0}, {30, 255}}};
  CHECK(dn::load_image<float>(fixture("palette.png")) == red_green);
  CHECK(dn::load_image<float>(fixture("palette.bmp")) == red_green);
  CHECK(dn::load_image<float>(fixture("grey.png")) == repeated({{0, 85}, {170, 255}}));
  CHECK(dn::load_image<float>(fixture("grey16.png")) == repeated({{0, 18}, {128, 255}}));
  const auto grey_alpha = dn::load_image<float>(fixture("grey_alpha.png"));  // (100, 255) (100, 0) / (0, 51) (200, 128)
  const float half = 128.f / 255.f * 200.f + (1.f - 128.f / 255.f) * 255.f;
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(grey_alpha(c, 0, 0) == 100.f);
    CHECK(grey_alpha(c, 0, 1) == 255.f);
    CHECK(grey_alpha(c, 1, 0) == doctest::Approx(204));
    CHECK(grey_alpha(c, 1, 1) == doctest::Approx(half));
  }
  const auto rgba = dn::load_image<float>(fixture("rgba.png"));  // opaque red, nothing / one fifth blue, opaque white
  CHECK(rgba(0, 0, 0) == 255.f);
  CHECK(rgba(1, 0, 0) == 0.f);
  CHECK(rgba(1, 0, 1) == 255.f);
  CHECK(rgba(0, 1, 0) == doctest::Approx(204));
  CHECK(rgba(2, 1, 0) == doctest::Approx(255));
}

TEST_CASE("files that are no pictures are refused with their name and the reason") {
  const scratch_folder folder;
  const auto load = [&](const fs::path& path) { return message_of([&] { (void)dn::load_image<float>(path); }); };
  CHECK(contains(load(folder.path / "none.png"), "none.png: there is no such file"));
  CHECK(contains(load(folder.path), "a directory"));
  std::ofstream(folder.path / "empty.jpg");
  CHECK(contains(load(folder.path / "empty.jpg"), "empty.jpg: empty"));
  std::ofstream(folder.path / "text.png") << "not a picture at all";
  CHECK(contains(load(folder.path / "text.png"), "not a PNG, JPEG or BMP"));
  CHECK_THROWS_AS((void)dn::load_image<float>(folder.path / "text.png"), dn::file_error);
}

TEST_CASE("a picture cut anywhere is an error, never half a picture") {
  const scratch_folder folder;
  const auto picture = noise(3, 9, 12);
  for (const char* name : {"a.png", "a.jpg", "a.bmp"}) {
    CAPTURE(name);
    dn::save_image(folder.path / name, picture);
    const auto bytes = dn::detail::read_picture_file(folder.path / name);
    REQUIRE_NOTHROW((void)dn::decode_image<float>(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size);
      REQUIRE_THROWS_AS((void)dn::decode_image<float>(std::span(bytes).first(size), "cut"), dn::file_error);
    }
  }
}

TEST_CASE("a damaged picture gives an error or a picture, never a crash") {
  const scratch_folder folder;
  const auto picture = noise(3, 9, 12);
  std::uint32_t state = 1;
  for (const char* name : {"a.png", "a.jpg", "a.bmp"}) {
    dn::save_image(folder.path / name, picture);
    const auto bytes = dn::detail::read_picture_file(folder.path / name);
    for (int round = 0; round < 600; ++round) {
      auto damaged = bytes;
      for (int k = 0; k < 3; ++k) {
        state = state * 1664525u + 1013904223u;
        const std::size_t range = round % 2 ? damaged.size() : std::min<std::size_t>(damaged.size(), 64);
        damaged[(state >> 8) % range] = static_cast<std::byte>(state >> 24);
      }
      try {
        const auto decoded = dn::decode_image<float>(damaged);
        CHECK(decoded.shape(0) == 3);
      } catch (const dn::file_error&) {
      }
    }
  }
}

TEST_CASE("a few bytes that claim a huge picture are refused before memory is taken") {
  // A BMP header that says 10000 x 10000 and 20000 x 20000, then nothing.
  const auto header = [](int side) {
    return bytes_of({'B',        'M',       0, 0, 0,          0,         0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0,
                     side & 255, side >> 8, 0, 0, side & 255, side >> 8, 0, 0, 1, 0, 24, 0, 0, 0, 0,  0, 0, 0,
                     0,          0,         0, 0, 0,          0,         0, 0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0});
  };
  CHECK(contains(message_of([&] { (void)dn::decode_image<float>(header(10000)); }),
                 "too short for 10000 x 10000 pixels"));
  CHECK(contains(message_of([&] { (void)dn::decode_image<float>(header(20000)); }), "too large: 20000 x 20000 pixels"));
}
