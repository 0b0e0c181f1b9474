// The floating-point mode of a thread: rounding, and whether subnormal numbers count as 0. Read and
// written in the processor's register; <cfenv> does the same and takes ten times as long.
#pragma once

#include <cfenv>
#include <cstdint>

namespace pymlp {

#if defined(__x86_64__)

using FloatMode = std::uint32_t;  // MXCSR
inline constexpr FloatMode kFlushSubnormals = 0x8040;

inline FloatMode float_mode() { return __builtin_ia32_stmxcsr(); }
inline void set_float_mode(FloatMode mode) { __builtin_ia32_ldmxcsr(mode); }

#elif defined(__aarch64__)

using FloatMode = std::uint64_t;  // FPCR
inline constexpr FloatMode kFlushSubnormals = FloatMode{1} << 24;

inline FloatMode float_mode() {
  FloatMode mode = 0;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
inline void set_float_mode(FloatMode mode) { asm volatile("msr fpcr, %0" : : "r"(mode)); }

#else

using FloatMode = int;  // the rounding alone, on other processors
inline constexpr FloatMode kFlushSubnormals = 0;

inline FloatMode float_mode() { return std::fegetround(); }
inline void set_float_mode(FloatMode mode) { std::fesetround(mode); }

#endif

}  // namespace pymlp
