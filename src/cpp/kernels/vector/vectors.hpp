// The compiler's vector types, and the multiply-add that products are made of. Included only by
// sources compiled once per ISA.
#pragma once

#include "base/view.hpp"

#if defined(__FMA__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

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

// a b + c, rounded once: the ISA's instruction by its name, as whether a compiler makes one of a
// product and a sum depends on its options. Where the ISA has none, the C library computes the same
// bits.
PYMLP_INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
PYMLP_INLINE double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

// Vectors for which there is no instruction.
template <class V>
PYMLP_INLINE V fused(const V& a, const V& b, V c) {
  for (int l = 0; l < static_cast<int>(sizeof(V) / sizeof(c[0])); ++l) {
    c[l] = fused(a[l], b[l], c[l]);
  }
  return c;
}

#if defined(__FMA__)
PYMLP_INLINE Vector<float, 4> fused(Vector<float, 4> a, Vector<float, 4> b, Vector<float, 4> c) {
  return _mm_fmadd_ps(a, b, c);
}
PYMLP_INLINE Vector<double, 2> fused(Vector<double, 2> a, Vector<double, 2> b,
                                     Vector<double, 2> c) {
  return _mm_fmadd_pd(a, b, c);
}
PYMLP_INLINE Vector<float, 8> fused(Vector<float, 8> a, Vector<float, 8> b, Vector<float, 8> c) {
  return _mm256_fmadd_ps(a, b, c);
}
PYMLP_INLINE Vector<double, 4> fused(Vector<double, 4> a, Vector<double, 4> b,
                                     Vector<double, 4> c) {
  return _mm256_fmadd_pd(a, b, c);
}
#elif defined(__aarch64__)
PYMLP_INLINE Vector<float, 4> fused(Vector<float, 4> a, Vector<float, 4> b, Vector<float, 4> c) {
  return vfmaq_f32(c, a, b);
}
PYMLP_INLINE Vector<double, 2> fused(Vector<double, 2> a, Vector<double, 2> b,
                                     Vector<double, 2> c) {
  return vfmaq_f64(c, a, b);
}
#endif
#if defined(__AVX512F__)
PYMLP_INLINE Vector<float, 16> fused(Vector<float, 16> a, Vector<float, 16> b,
                                     Vector<float, 16> c) {
  return _mm512_fmadd_ps(a, b, c);
}
PYMLP_INLINE Vector<double, 8> fused(Vector<double, 8> a, Vector<double, 8> b,
                                     Vector<double, 8> c) {
  return _mm512_fmadd_pd(a, b, c);
}
#endif

// sum + a b; that 0 is subtracted from a, which changes nothing, makes it a vector.
template <class T, int lanes>
PYMLP_INLINE void multiply_add(Vector<T, lanes>& sum, T a, const Vector<T, lanes>& b) {
  sum = fused(a - Vector<T, lanes>{}, b, sum);
}

}  // namespace
}  // namespace pymlp
