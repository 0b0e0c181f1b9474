#include "base/buffer.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace pymlp {

namespace {

[[maybe_unused]] constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Tells the size, which users know something from, and takes no memory to do so.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::size_t bytes) noexcept {
    const std::size_t megabytes = bytes / 1000000 + 1;
    std::snprintf(message_, sizeof message_, "unable to allocate %zu MB of memory", megabytes);
  }
  const char* what() const noexcept override { return message_; }

 private:
  char message_[64];
};

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

std::size_t size_with_slack(std::size_t bytes) {
  const std::size_t rounded = round_up(bytes + kAlignment, kAlignment);
  if (rounded < bytes) throw OutOfMemory(bytes);
  return rounded;
}

#if defined(__linux__)

// New pages are zero already, and none is touched before it is used. Huge pages save most TLB
// misses of arenas that are swept in every step; they begin at multiples of their size.
void* map_pages(std::size_t bytes) {
  const std::size_t whole = round_up(bytes, kHugePage) + kHugePage;
  if (whole < bytes) throw OutOfMemory(bytes);
  void* found = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (found == MAP_FAILED) throw OutOfMemory(bytes);
  const auto address = reinterpret_cast<std::uintptr_t>(found);
  const std::size_t before = round_up(address, kHugePage) - address;
  char* const first = static_cast<char*>(found) + before;
  if (before > 0) munmap(found, before);
  munmap(first + whole - kHugePage, kHugePage - before);
  madvise(first, whole - kHugePage, MADV_HUGEPAGE);  // only a hint
  return first;
}

#endif

}  // namespace

std::size_t bytes_of(index_t count, std::size_t size) {
  const auto most = std::numeric_limits<std::ptrdiff_t>::max() / static_cast<std::ptrdiff_t>(size);
  if (count < 0 || count > most) throw std::bad_alloc();
  return static_cast<std::size_t>(count) * size;
}

void* allocate_zeroed(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::size_t size = size_with_slack(bytes);
#if defined(__linux__)
  if (size >= kHugePage) return map_pages(size);
#endif
  void* memory = std::aligned_alloc(kAlignment, size);
  if (memory == nullptr) throw OutOfMemory(bytes);
  std::memset(memory, 0, size);
  return memory;
}

void release(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
#if defined(__linux__)
  const std::size_t size = size_with_slack(bytes);
  if (size >= kHugePage) {
    munmap(memory, round_up(size, kHugePage));
    return;
  }
#endif
  std::free(memory);
}

}  // namespace pymlp
