// The windows that max_pool2d and avg_pool2d are tested on.
#pragma once

#include <string>

#include <deconvnet/ops/max_pool2d.hpp>

namespace deconvnet::testing {

struct pool_case {
  std::string what;
  shape4 input;
  max_pool2d_options options;
};

inline const pool_case pool_cases[] = {
    {"one pixel", {1, 1, 1, 1}, {.kernel = 1}},
    {"side by side", {2, 3, 6, 8}, {}},
    {"side by side, a rest is left over", {2, 3, 7, 9}, {.kernel = {2, 4}}},
    {"overlapping", {2, 2, 9, 7}, {.kernel = 3, .stride = 2}},
    {"a stride for each axis", {1, 2, 9, 8}, {.kernel = {3, 2}, .stride = {1, 3}}},
    {"a stride for one axis", {1, 2, 9, 8}, {.kernel = {3, 2}, .stride = {0, 1}}},
    {"a stride larger than the kernel", {1, 2, 11, 10}, {.kernel = 2, .stride = {5, 3}}},
    {"padded", {2, 3, 5, 6}, {.kernel = 3, .stride = 2, .padding = 1}},
    {"four different paddings", {2, 2, 7, 8}, {.kernel = {5, 4}, .stride = {2, 3}, .padding = {0, 1, 2, 3}}},
    {"dilation", {1, 2, 10, 9}, {.kernel = 3, .stride = 1, .dilation = {2, 3}}},
    {"dilation, stride and padding", {2, 2, 10, 9}, {.kernel = {2, 3}, .stride = {2, 1}, .padding = {1, 2, 2, 1}, .dilation = {3, 2}}},
    {"ceil mode, a part of a window", {2, 2, 8, 10}, {.kernel = 3, .stride = 2, .ceil_mode = true}},
    {"ceil mode, nothing left over", {2, 2, 9, 7}, {.kernel = 3, .stride = 2, .ceil_mode = true}},
    {"ceil mode, the last window dropped", {1, 2, 6, 9}, {.kernel = 1, .stride = {4, 5}, .ceil_mode = true}},
    {"ceil mode, the last window dropped by padding", {1, 2, 5, 4}, {.kernel = 2, .stride = {3, 2}, .padding = {1, 1, 1, 1}, .ceil_mode = true}},
    {"ceil mode, padded and dilated", {2, 1, 9, 8}, {.kernel = 2, .stride = {3, 2}, .padding = {1, 0, 0, 1}, .dilation = {2, 3}, .ceil_mode = true}},
    {"the whole map", {2, 3, 5, 7}, {.kernel = {5, 7}}},
    {"one pixel, padded", {1, 2, 1, 1}, {.kernel = 3, .stride = 1, .padding = 1}},
    {"one row", {1, 2, 1, 9}, {.kernel = {1, 3}, .stride = 2}},
    {"a kernel larger than the map", {1, 2, 3, 2}, {.kernel = {5, 4}, .stride = 1, .padding = {1, 2, 2, 1}}},
    {"a batch of four", {4, 3, 3, 5}, {.kernel = 2, .stride = 1}},
};

}  // namespace deconvnet::testing
