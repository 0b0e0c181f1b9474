#include "base/buffer.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace pymlp {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

void* allocate_zeroed(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::size_t with_slack = bytes + kAlignment;
  const std::size_t alignment = with_slack >= kHugePage ? kHugePage : kAlignment;
  const std::size_t rounded = round_up(with_slack, alignment);
  void* memory = rounded < bytes ? nullptr : std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  // Only a hint: large arenas are swept every step, and huge pages save most of their TLB misses.
  if (alignment == kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  std::memset(memory, 0, rounded);
  return memory;
}

void release(void* memory) noexcept { std::free(memory); }

}  // namespace pymlp
