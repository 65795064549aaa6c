// The convolutions that conv2d and conv_transpose2d are tested on: every combination of options that takes another path.
#pragma once

#include <string>

#include <deconvnet/ops/conv2d.hpp>

namespace deconvnet::testing {

struct convolution_case {
  std::string what;
  shape4 input, weight;
  conv2d_options options;
};

inline const convolution_case convolution_cases[] = {
    {"one pixel", {1, 1, 1, 1}, {1, 1, 1, 1}, {}},
    {"plain, not square", {2, 3, 5, 7}, {4, 3, 3, 2}, {}},
    {"1x1", {2, 3, 5, 7}, {4, 3, 1, 1}, {}},
    {"1x1, padded", {1, 3, 5, 7}, {4, 3, 1, 1}, {.padding = {1, 0, 2, 3}}},
    {"1x1, padded at the end only", {2, 3, 5, 7}, {4, 3, 1, 1}, {.padding = {0, 0, 1, 2}}},
    {"1x1, strided", {2, 3, 6, 7}, {4, 3, 1, 1}, {.stride = {2, 3}}},
    {"a stride for each axis", {1, 2, 9, 5}, {3, 2, 3, 2}, {.stride = {2, 1}}},
    {"four different paddings", {2, 2, 7, 9}, {3, 2, 2, 4}, {.stride = {1, 3}, .padding = {0, 1, 2, 3}}},
    {"dilation", {1, 3, 11, 8}, {2, 3, 3, 3}, {.padding = {3, 1}, .dilation = {2, 3}}},
    {"stride, padding and dilation", {2, 2, 13, 12}, {3, 2, 3, 2}, {.stride = {3, 2}, .padding = {2, 1, 0, 4}, .dilation = {2, 3}}},
    {"stride and dilation with a common factor", {1, 2, 11, 13}, {2, 2, 3, 3}, {.stride = {2, 4}, .padding = {1, 2}, .dilation = {2, 2}}},
    {"a stride larger than the kernel", {1, 2, 11, 10}, {3, 2, 2, 1}, {.stride = {5, 3}}},
    {"two groups", {2, 4, 6, 5}, {6, 2, 3, 3}, {.padding = {1, 1}, .groups = 2}},
    {"three groups, strided and dilated", {2, 6, 9, 8}, {3, 2, 2, 3}, {.stride = {2, 1}, .dilation = {2, 2}, .groups = 3}},
    {"depthwise", {2, 3, 6, 7}, {3, 1, 3, 3}, {.stride = {2, 2}, .padding = {1, 2, 0, 1}, .groups = 3}},
    {"depthwise, two filters a channel", {1, 3, 5, 5}, {6, 1, 2, 3}, {.dilation = {1, 2}, .groups = 3}},
    {"depthwise 1x1", {2, 4, 3, 5}, {4, 1, 1, 1}, {.groups = 4}},
    {"one pixel, padded", {2, 2, 1, 1}, {3, 2, 3, 3}, {.padding = {1, 1}}},
    {"a kernel larger than the map", {1, 2, 4, 3}, {2, 2, 7, 5}, {.padding = {3, 2}}},
    {"a kernel as large as the map", {2, 3, 4, 6}, {5, 3, 4, 6}, {}},
    {"windows that see padding only", {1, 2, 3, 4}, {2, 2, 2, 2}, {.stride = {3, 3}, .padding = {5, 5}}},
    {"many pixels", {1, 3, 37, 41}, {5, 3, 3, 3}, {.padding = {1, 1}}},
    {"many pixels, 1x1", {2, 5, 40, 33}, {3, 5, 1, 1}, {}},
    {"many channels", {1, 130, 5, 6}, {3, 130, 3, 3}, {.padding = {0, 1, 1, 0}}},
    {"many filters", {1, 5, 4, 5}, {70, 5, 3, 3}, {.padding = {1, 1}}},
    {"many taps", {1, 2, 13, 15}, {2, 2, 12, 13}, {.stride = {1, 2}}},
    {"a batch of five", {5, 3, 3, 3}, {2, 3, 2, 2}, {}},
    {"ZFNet's first layer, small", {1, 3, 27, 25}, {8, 3, 7, 7}, {.stride = {2, 2}, .padding = {1, 1}}},
};

}  // namespace deconvnet::testing
