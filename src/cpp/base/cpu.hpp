// What the processor can do, and which instruction set the kernels run on.
#pragma once

#include <iosfwd>
#include <string>

namespace pymlp {

enum class Isa { generic, avx2, avx512 };

bool cpu_supports(Isa isa);

// The widest supported one, or what PYMLP_ISA forces; throws where that is unknown or unsupported.
Isa selected_isa();
std::string name_of(Isa isa);

// Whether a b + c is one instruction; elsewhere the C library computes the same bits, slowly.
bool has_fused_multiply_add(Isa isa);

// Processors that this process may use: its affinity, cut by a cgroup's quota.
int usable_cpus();
// The same, cut by OMP_NUM_THREADS.
int available_cpus();
// The same of so many, a quota and its period in one text, and OMP_NUM_THREADS or null.
int cpus_within(int cpus, std::istream& quota_text, const char* omp_num_threads);

// A pause inside a spin loop, so that the sibling hyper-thread gets the core.
inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace pymlp
