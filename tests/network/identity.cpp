#include <deconvnet/network/identity.hpp>

#include <doctest/doctest.h>

using deconvnet::detail::network_identity;

TEST_CASE("no two networks are the same, copies are") {
  const network_identity a;
  const network_identity b;
  const network_identity copy = a;
  CHECK(!a.same_layers(b));
  CHECK(!a.same_weights(b));
  CHECK(a.same_layers(copy));
  CHECK(a.same_weights(copy));
}

TEST_CASE("editing weights leaves the layers the same, editing layers leaves nothing") {
  const network_identity a;
  network_identity b = a;
  network_identity c = a;
  b.weights_edited();
  c.weights_edited();
  CHECK(a.same_layers(b));
  CHECK(!a.same_weights(b));
  CHECK(!b.same_weights(c));
  b.layers_edited();
  CHECK(!a.same_layers(b));
  CHECK(!a.same_weights(b));
}
