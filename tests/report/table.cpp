#include <deconvnet/report/table.hpp>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

dn::table parts() {
  dn::table values({"part", "layer 5", "pairs"});
  values.add({"right eye", dn::cell(0.0671, 3), 10});
  values.add({"nose, \"left\"", dn::cell(0.1, 3), 1000});
  return values;
}

}  // namespace

TEST_CASE("a table as text: names, a rule, numbers to the right") {
  CHECK(dn::to_text(parts()) ==
        "part          layer 5  pairs\n"
        "------------  -------  -----\n"
        "right eye       0.067     10\n"
        "nose, \"left\"    0.100   1000\n");
}

TEST_CASE("CSV quotes what needs it and keeps every digit") {
  CHECK(dn::to_csv(parts()) ==
        "part,layer 5,pairs\n"
        "right eye,0.067100000000000007,10\n"
        "\"nose, \"\"left\"\"\",0.10000000000000001,1000\n");
  dn::table one({"x\ny"});
  one.add({0.1f});
  one.add({"a\r\nb"});
  CHECK(dn::to_csv(one) == "\"x\ny\"\n0.100000001\n\"a\r\nb\"\n");
}

TEST_CASE("columns are aligned by letters, not bytes") {
  dn::table values({"a", "b"});
  values.add({"Größe", "x"});
  values.add({"mm", "y"});
  CHECK(dn::to_text(values) == "a      b\n-----  -\nGröße  x\nmm     y\n");
}

TEST_CASE("empty tables are printed, rows of another length refused") {
  CHECK(dn::to_text(dn::table({"a", "long"})) == "a  long\n-  ----\n");
  CHECK(dn::to_csv(dn::table({"a"})) == "a\n");
  CHECK_THROWS_AS(dn::table({}), dn::error);
  CHECK_THROWS_AS(dn::table({"a"}).add({1, 2}), dn::error);
  CHECK_THROWS_AS(dn::table({"a"}).add({}), dn::error);
}

TEST_CASE("numbers that are none, small integers and truths are printed as numbers") {
  CHECK(dn::cell(std::uint8_t{65}).text() == "65");
  CHECK(dn::cell(true).text() == "1");
  CHECK(dn::cell(0.0 / 0.0).text().find("nan") != std::string::npos);
  CHECK(dn::cell(1e300, 2).text().size() > 300);
}
