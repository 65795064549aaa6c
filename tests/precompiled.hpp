// What every test program spends its compile time on: doctest and the third-party headers behind the library's gates.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <deconvnet/kernels/eigen.hpp>
#include <deconvnet/tensor/xtensor.hpp>
