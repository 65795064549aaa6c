#include <deconvnet/training/learning_rate.hpp>

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("a number is a constant rate") {
  const dn::learning_rate rate = 0.02;
  CHECK(rate.at(0) == 0.02);
  CHECK(rate.at(1000, 0.5) == 0.02);
  CHECK(rate.state().empty());
  CHECK(dn::learning_rate::constant(0.02).description() == rate.description());
}

TEST_CASE("steps every n epochs, or as given epochs begin") {
  const auto every = dn::learning_rate::step(0.1, 20);
  CHECK(every.at(0) == 0.1);
  CHECK(every.at(19, 0.999) == 0.1);
  CHECK(every.at(20) == doctest::Approx(0.01));
  CHECK(every.at(45) == doctest::Approx(0.001));
  const auto given = dn::learning_rate::at_epochs(0.1, {3, 5}, 0.5);
  CHECK(given.at(2) == 0.1);
  CHECK(given.at(3) == doctest::Approx(0.05));
  CHECK(given.at(5) == doctest::Approx(0.025));
  CHECK(given.at(50) == doctest::Approx(0.025));
}

TEST_CASE("a cosine falls from the rate to the last one, half way in the middle, and stays there") {
  const auto rate = dn::learning_rate::cosine(0.1, 10, 0.02);
  CHECK(rate.at(0) == doctest::Approx(0.1));
  CHECK(rate.at(5) == doctest::Approx(0.06));
  CHECK(rate.at(2, 0.5) == doctest::Approx(0.02 + 0.08 * 0.5 * (1 + std::cos(3.14159265358979 / 4))));
  CHECK(rate.at(10) == doctest::Approx(0.02));
  CHECK(rate.at(11) == doctest::Approx(0.02));
}

TEST_CASE("a warm-up rises linearly from a tenth, and then the schedule goes on as it would have") {
  const auto rate = dn::learning_rate::step(0.1, 3).warmed_up(2);
  CHECK(rate.at(0) == doctest::Approx(0.01));
  CHECK(rate.at(1) == doctest::Approx(0.055));
  CHECK(rate.at(1, 0.5) == doctest::Approx(0.0775));
  CHECK(rate.at(2) == 0.1);
  CHECK(rate.at(3) == doctest::Approx(0.01));
}

TEST_CASE("a plateau: lower after `patience` epochs without a gain, and patience begins anew") {
  auto rate = dn::learning_rate::on_plateau(1.0, {.patience = 2, .factor = 0.5});
  const auto after = [&](double error) {
    rate.observe(error);
    return rate.at(0);
  };
  CHECK(after(0.9) == 1);    // the best so far
  CHECK(after(0.8) == 1);
  CHECK(after(0.8) == 1);    // no gain: one
  CHECK(after(0.7) == 1);    // a gain again
  CHECK(after(0.71) == 1);   // one
  CHECK(after(0.75) == 0.5);  // two: lowered
  CHECK(after(0.72) == 0.5);  // one
  CHECK(after(std::numeric_limits<double>::quiet_NaN()) == 0.25);
  CHECK(after(0.1) == 0.25);
}

TEST_CASE("a plateau: a gain too small is none, and the rate does not fall below the least") {
  auto rate = dn::learning_rate::on_plateau(1.0, {.patience = 1, .factor = 0.1, .least_gain = 0.01, .least_rate = 0.05});
  rate.observe(0.5);
  rate.observe(0.495);
  CHECK(rate.at(3) == doctest::Approx(0.1));
  rate.observe(0.48);
  CHECK(rate.at(3) == doctest::Approx(0.1));
  rate.observe(0.48);
  CHECK(rate.at(3) == 0.05);
}

TEST_CASE("a plateau's state, put back, goes on the same way") {
  const auto start = dn::learning_rate::on_plateau(0.01, {.patience = 3});
  auto unbroken = start;
  auto first = start;
  for (int epoch = 0; epoch < 12; ++epoch) {
    const double error = epoch < 3 ? 0.5 - 0.1 / (epoch + 1) : 0.6;
    auto next = start;
    next.restore(first.state());
    next.observe(error);
    first = next;
    unbroken.observe(error);
    CHECK(first.at(0) == unbroken.at(0));
    CHECK(first.state() == unbroken.state());
  }
  CHECK(unbroken.at(0) < 0.002);
  auto fresh = start;
  fresh.restore(start.state());  // nothing seen: infinity comes back
  fresh.observe(1e300);
  CHECK(fresh.at(0) == 0.01);
}

TEST_CASE("descriptions tell schedules apart") {
  using dn::learning_rate;
  const learning_rate all[] = {0.1,
                               0.2,
                               learning_rate::step(0.1, 5),
                               learning_rate::step(0.1, 5, 0.2),
                               learning_rate::at_epochs(0.1, {5}),
                               learning_rate::at_epochs(0.1, {5, 6}),
                               learning_rate::on_plateau(0.1),
                               learning_rate::on_plateau(0.1, {.patience = 6}),
                               learning_rate::cosine(0.1, 5),
                               learning_rate::cosine(0.1, 6),
                               learning_rate::cosine(0.1, 5).warmed_up(1)};
  for (const auto& a : all) {
    for (const auto& b : all) CHECK((a.description() == b.description()) == (&a == &b));
  }
}

TEST_CASE("schedules that make no sense are refused") {
  using dn::learning_rate;
  CHECK_THROWS_AS(learning_rate{0}, dn::error);
  CHECK_THROWS_AS(learning_rate{-1}, dn::error);
  CHECK_THROWS_AS(learning_rate{std::numeric_limits<double>::infinity()}, dn::error);
  CHECK_THROWS_AS(learning_rate::step(0.1, 0), dn::error);
  CHECK_THROWS_AS(learning_rate::step(0.1, 1, 0), dn::error);
  CHECK_THROWS_AS(learning_rate::cosine(0.1, 0), dn::error);
  CHECK_THROWS_AS(learning_rate::cosine(0.1, 5, 0.2), dn::error);
  CHECK_THROWS_AS(learning_rate::on_plateau(0.1, {.patience = 0}), dn::error);
  CHECK_THROWS_AS(learning_rate::on_plateau(0.1, {.factor = 1}), dn::error);
  CHECK_THROWS_AS(learning_rate(0.1).warmed_up(-1), dn::error);
  auto rate = learning_rate::on_plateau(0.1);
  CHECK_THROWS_AS(rate.restore(""), dn::error);
  CHECK_THROWS_AS(rate.restore("1 1"), dn::error);
  CHECK_THROWS_AS(rate.restore("1 1 1 1"), dn::error);
  for (const char* damaged : {"nan 1 1", "1 -1 1", "1 2 1", "1 nan 1", "1 1 5"}) CHECK_THROWS_AS(rate.restore(damaged), dn::error);
  CHECK_THROWS_AS(learning_rate(0.1).restore("1 1 1"), dn::error);
}
