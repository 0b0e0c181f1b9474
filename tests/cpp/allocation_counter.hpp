// Counts every way to the heap: included by one source of a program, which it gives an operator new
// of its own. Where the linker can, the C library's functions are counted too; Buffers use these.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace pymlp::test {

inline std::atomic<long> allocations{0};
inline std::atomic<std::size_t> allocated_bytes{0};

inline void record_allocation(std::size_t bytes) {
  ++allocations;
  allocated_bytes += bytes;
}

}  // namespace pymlp::test

// Out of line: the compiler must not see that malloc stands behind new.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
#if !defined(PYMLP_COUNT_C_ALLOCATIONS)
  pymlp::test::record_allocation(bytes);
#endif
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#if defined(PYMLP_COUNT_C_ALLOCATIONS)
extern "C" {
void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
void* __real_malloc(std::size_t bytes);
void* __real_calloc(std::size_t count, std::size_t bytes);
void* __real_realloc(void* memory, std::size_t bytes);
void* __real_mmap(void* place, std::size_t bytes, int protection, int flags, int file, off_t from);

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  pymlp::test::record_allocation(bytes);
  return __real_aligned_alloc(alignment, bytes);
}
void* __wrap_malloc(std::size_t bytes) {
  pymlp::test::record_allocation(bytes);
  return __real_malloc(bytes);
}
void* __wrap_calloc(std::size_t count, std::size_t bytes) {
  pymlp::test::record_allocation(count * bytes);
  return __real_calloc(count, bytes);
}
void* __wrap_realloc(void* memory, std::size_t bytes) {
  pymlp::test::record_allocation(bytes);
  return __real_realloc(memory, bytes);
}
void* __wrap_mmap(void* place, std::size_t bytes, int protection, int flags, int file, off_t from) {
  pymlp::test::record_allocation(bytes);
  return __real_mmap(place, bytes, protection, flags, file, from);
}
}
#endif
