#include <deconvnet/training/state_text.hpp>

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

using deconvnet::detail::exact_text;
using deconvnet::detail::text_reader;

TEST_CASE("every double comes back from its text, bit for bit") {
  for (const double number : {0.0, -0.0, 0.1, 1.0 / 3, -2.5e-310, 5e-324, 1.7976931348623157e308, 12345678901234567890.0,
                              std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    const std::string text = exact_text(number);
    text_reader from("x", text);
    const double back = from.number();
    CHECK(back == number);
    CHECK(std::signbit(back) == std::signbit(number));
    from.end();
  }
  const std::string text = exact_text(std::nan(""));
  CHECK(std::isnan(text_reader("x", text).number()));
}

TEST_CASE("several numbers are read one after the other") {
  text_reader from("x", "1.5 18446744073709551615 3");
  CHECK(from.number() == 1.5);
  CHECK(from.count() == 18446744073709551615u);
  CHECK(!from.at_end());
  CHECK(from.count() == 3);
  CHECK(from.at_end());
}

TEST_CASE("what is no number is refused, with what it was to be") {
  CHECK_THROWS_WITH_AS(text_reader("the loss", "abc").number(), "the loss: 'abc' is not a number", deconvnet::error);
  CHECK_THROWS_AS(text_reader("x", "").number(), deconvnet::error);
  CHECK_THROWS_AS(text_reader("x", "1e400").number(), deconvnet::error);
  CHECK_THROWS_AS(text_reader("x", "-1").count(), deconvnet::error);
  CHECK_THROWS_AS(text_reader("x", "1.5").count(), deconvnet::error);
  CHECK_THROWS_AS(text_reader("x", "  1").count(), deconvnet::error);
  text_reader more("x", "1 2");
  more.count();
  CHECK_THROWS_AS(more.end(), deconvnet::error);
}
