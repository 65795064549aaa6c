#include <deconvnet/report/page.hpp>

#include <doctest/doctest.h>

#include "../io/temporary_folder.hpp"

namespace dn = deconvnet;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const dn::tensor<float, 3> grey({3, 4, 5}, 100.f);

}  // namespace

TEST_CASE("a page collects texts, pictures and tables in the order given") {
  const temporary_folder folder;
  dn::page page(folder.path / "new" / "report", "Top-9");
  page.add_heading("Layer 5");
  page.add_picture("map-17", grey, "the strongest");
  dn::table values({"map", "value"});
  values.add({"17", 3.5});
  page.add_table(values, "Numbers");
  page.add_text("Größe µ");
  const auto path = page.save();
  CHECK(path == folder.path / "new" / "report" / "index.html");
  const std::string html = bytes_of(path);
  CHECK(html == page.html());
  CHECK(holds(html, "<title>Top-9</title>"));
  CHECK(
      holds(html, "<h2>Layer 5</h2>\n<figure><img src=\"map-17.png\" alt=\"the strongest\"><figcaption>the strongest"));
  CHECK(holds(
      html,
      "<p>Numbers</p>\n<table>\n<tr><th>map</th><th>value</th></tr>\n<tr><td>17</td><td class=\"number\">3.5</td>"));
  CHECK(holds(html, "<p>Größe µ</p>"));
  CHECK(dn::load_image<float>(path.parent_path() / "map-17.png") == grey);
}

TEST_CASE("what HTML would read as markup is escaped everywhere") {
  const temporary_folder folder;
  const std::string evil = "<script>\"a\" & 'b'</script>\x01";
  const std::string tame = "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt; ";
  dn::page page(folder.path, evil);
  page.add_heading(evil);
  page.add_text(evil);
  page.add_picture("a", grey, evil);
  dn::table values({evil});
  values.add({evil});
  page.add_table(values, evil);
  const std::string html = page.html();
  CHECK_FALSE(holds(html, "<script"));
  std::size_t count = 0;
  for (std::size_t at = html.find(tame); at != std::string::npos; at = html.find(tame, at + 1)) ++count;
  CHECK(count == 9);  // the title twice, the caption of the picture twice
}

TEST_CASE("names that lead elsewhere or are taken are refused") {
  const temporary_folder folder;
  dn::page page(folder.path, "x");
  page.add_picture("one", grey);
  for (const std::string name : {"one", "", "../up", "a/b", "a b", ".hidden", "a\"b", "\xc3\xa4"}) {
    CHECK_THROWS_AS(page.add_picture(name, grey), dn::error);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("folders that cannot be made and pictures that are none are refused") {
  const temporary_folder folder;
  folder.write("file", "x");
  CHECK_THROWS_AS(dn::page(folder.path / "file" / "report", "x"), dn::file_error);
  dn::page page(folder.path, "x");
  CHECK_THROWS_AS(page.add_picture("two", dn::tensor<float, 3>({2, 1, 1}, 0.f)), dn::shape_error);
}
