// Scratch memory of the kernels: one buffer per thread and purpose, kept for the next call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace deconvnet::kernels {

/// At least `size` elements, contents undefined, valid until the same thread asks again under the same tag. Numbers begin a
/// cache line: registers loaded from them cross none.
template <class Tag, class T>
T* workspace(std::size_t size) {
  static thread_local std::vector<T> buffer;
  if constexpr (std::is_arithmetic_v<T>) {
    constexpr std::size_t line = 64 / sizeof(T);
    if (buffer.size() < size + line) buffer.resize(size + line);
    return buffer.data() + (64 - reinterpret_cast<std::uintptr_t>(buffer.data()) % 64) % 64 / sizeof(T);
  } else {
    if (buffer.size() < size) buffer.resize(size);
    return buffer.data();
  }
}

}  // namespace deconvnet::kernels
