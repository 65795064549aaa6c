// Some channels of a value that several operators write together.
#pragma once

#include <cstddef>

namespace deconvnet::detail {

/// The channels from `first` on of a value that has `channels`. `value`: which one, in the order of a run; 0: none.
struct channel_part {
  std::size_t value = 0, first = 0, channels = 0;
};

}  // namespace deconvnet::detail
