// The main of every test program.
// Not DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN: that one has no effect once the precompiled headers have brought doctest.h.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

int main(int argc, char** argv) { return doctest::Context(argc, argv).run(); }
