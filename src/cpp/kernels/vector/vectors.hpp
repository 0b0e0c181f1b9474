// The compiler's vector types, and the multiply-add that products are made of. Included only by
// sources compiled once per ISA.
#pragma once

#include "base/view.hpp"

// Unroll the next loop entirely: its arrays then live in registers.
#if defined(__clang__)
#define PYMLP_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PYMLP_UNROLL _Pragma("GCC unroll 16")
#endif

namespace pymlp {
namespace {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
inline constexpr int kVectorRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
inline constexpr int kVectorRegisters = 16;
#elif defined(__aarch64__)
inline constexpr int kVectorBytes = 16;
inline constexpr int kVectorRegisters = 32;
#else
inline constexpr int kVectorBytes = 16;
inline constexpr int kVectorRegisters = 16;
#endif

// Elements of the ISA's widest vector.
template <class T>
inline constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(T));

// NR, the columns of a panel, in vectors.
inline constexpr int kPanelVectors = 2;
template <class T>
inline constexpr index_t kPanelWidth = kPanelVectors * kWidth<T>;

template <class T, int lanes>
struct VectorTypes {
  typedef T Vector __attribute__((vector_size(lanes * sizeof(T))));
  // For loads and stores at any address.
  typedef T Unaligned
      __attribute__((vector_size(lanes * sizeof(T)), aligned(alignof(T)), may_alias));
};

template <class T, int lanes>
using Vector = typename VectorTypes<T, lanes>::Vector;

template <class T, int lanes>
PYMLP_INLINE Vector<T, lanes> load(const T* from) {
  return *reinterpret_cast<const typename VectorTypes<T, lanes>::Unaligned*>(from);
}

template <class T, int lanes>
PYMLP_INLINE void store(T* to, const Vector<T, lanes>& v) {
  *reinterpret_cast<typename VectorTypes<T, lanes>::Unaligned*>(to) = v;
}

// sum + a b, rounded once. Where the ISA has the instruction the compiler contracts to it, as these
// sources allow; where it has not, the C library computes the same bits.
template <class T, int lanes>
PYMLP_INLINE void multiply_add(Vector<T, lanes>& sum, T a, const Vector<T, lanes>& b) {
#if defined(__FMA__) || defined(__aarch64__)
  sum += a * b;
#else
  for (int l = 0; l < lanes; ++l) {
    if constexpr (sizeof(T) == sizeof(float)) {
      sum[l] = __builtin_fmaf(a, b[l], sum[l]);
    } else {
      sum[l] = __builtin_fma(a, b[l], sum[l]);
    }
  }
#endif
}

}  // namespace
}  // namespace pymlp
