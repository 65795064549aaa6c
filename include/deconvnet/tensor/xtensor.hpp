// The one door to xtensor. Its headers moved into folders in 0.26; both layouts are found here.
// system_header: a user's -Wconversion or -Wshadow must not report a dependency that came in with -I.
#pragma once
#pragma GCC system_header

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xtensor.hpp>
#endif
