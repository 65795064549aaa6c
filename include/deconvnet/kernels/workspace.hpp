// Scratch memory of the kernels: one buffer per thread and purpose, kept for the next call.
#pragma once

#include <cstddef>
#include <vector>

namespace deconvnet::kernels {

/// At least `size` elements, contents undefined, valid until the same thread asks again under the same tag.
template <class Tag, class T>
T* workspace(std::size_t size) {
  static thread_local std::vector<T> buffer;
  if (buffer.size() < size) buffer.resize(size);
  return buffer.data();
}

}  // namespace deconvnet::kernels
