// Buffer: aligned, zeroed memory with one owner. The only allocator of numeric arrays. A whole
// vector may be read from the place of any element: there is as much memory behind the last one.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "base/view.hpp"

namespace pymlp {

inline constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector
// Of parameters. Far beyond any memory, and far below where products of sizes overflow.
inline constexpr index_t kLargestArena = index_t{1} << 42;

// Of `count` numbers of `size` bytes; throws std::bad_alloc where that is no number of bytes.
std::size_t bytes_of(index_t count, std::size_t size);

void* allocate_zeroed(std::size_t bytes);
void release(void* memory, std::size_t bytes) noexcept;

template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(index_t size)
      : data_(static_cast<T*>(allocate_zeroed(bytes_of(size, sizeof(T))))), size_(size) {}
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() { release(data_, static_cast<std::size_t>(size_) * sizeof(T)); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  index_t size() const { return size_; }
  T& operator[](index_t i) { return data_[i]; }
  const T& operator[](index_t i) const { return data_[i]; }
  std::span<T> span() { return {data_, static_cast<std::size_t>(size_)}; }
  std::span<const T> span() const { return {data_, static_cast<std::size_t>(size_)}; }
  MatrixView<T> matrix(index_t rows, index_t cols) { return {data_, rows, cols, cols}; }

 private:
  T* data_ = nullptr;
  index_t size_ = 0;
};

// Makes a buffer at least this large; what it held is lost where it grows.
template <class T>
void grow(Buffer<T>& buffer, index_t size) {
  if (buffer.size() < size) buffer = Buffer<T>(size);
}

}  // namespace pymlp
