// The one door to nlohmann/json.
#pragma once
#pragma GCC system_header

#include <nlohmann/json.hpp>
