// The parts of the elementary functions: bit patterns, selects that let NaN pass, polynomials. All
// is static and always inlined, so that no copy compiled for one ISA is linked into the code of
// another.
#pragma once

#include <cstdint>

namespace pymlp::math {

template <class T>
struct Format;

template <>
struct Format<float> {
  using Bits = std::uint32_t;
  static constexpr int mantissa_bits = 23;
  static constexpr Bits bias = 127;
  static constexpr Bits sign_bit = 0x80000000u;
  static constexpr float shifter = 0x1.8p23f;  // a sum with it is an integer, held by its low bits
  static constexpr float infinity = __builtin_inff();
  static constexpr float nan = __builtin_nanf("");
};

template <>
struct Format<double> {
  using Bits = std::uint64_t;
  static constexpr int mantissa_bits = 52;
  static constexpr Bits bias = 1023;
  static constexpr Bits sign_bit = 0x8000000000000000u;
  static constexpr double shifter = 0x1.8p52;
  static constexpr double infinity = __builtin_inf();
  static constexpr double nan = __builtin_nan("");
};

template <class T>
using Bits = typename Format<T>::Bits;

template <class T>
[[gnu::always_inline]] static constexpr Bits<T> bits_of(T x) {
  return __builtin_bit_cast(Bits<T>, x);
}

template <class T>
[[gnu::always_inline]] static constexpr T from_bits(Bits<T> bits) {
  return __builtin_bit_cast(T, bits);
}

// The positive number with these exponent bits, all above them dropped: 2^(exponent - bias).
template <class T>
[[gnu::always_inline]] static constexpr T power_of_two(Bits<T> exponent) {
  return from_bits<T>(exponent << Format<T>::mantissa_bits);
}

[[gnu::always_inline]] static inline float fma(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}

[[gnu::always_inline]] static inline double fma(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}

[[gnu::always_inline]] static inline float square_root(float x) { return __builtin_sqrtf(x); }
[[gnu::always_inline]] static inline double square_root(double x) { return __builtin_sqrt(x); }

// -1, 0 or 1; NaN stays
template <class T>
[[gnu::always_inline]] static inline T sign_of(T x) {
  return x > T(0) ? T(1) : x < T(0) ? T(-1) : x;
}

template <class T>
[[gnu::always_inline]] static inline T abs(T x) {
  return from_bits<T>(bits_of(x) & ~Format<T>::sign_bit);
}

// -|x|
template <class T>
[[gnu::always_inline]] static inline T minus_abs(T x) {
  return from_bits<T>(bits_of(x) | Format<T>::sign_bit);
}

// r >= 0 with the sign of x
template <class T>
[[gnu::always_inline]] static inline T with_sign(T r, T x) {
  return from_bits<T>(bits_of(r) | (bits_of(x) & Format<T>::sign_bit));
}

template <class T>
[[gnu::always_inline]] static inline T at_least(T low, T x) {
  return x < low ? low : x;
}

template <class T>
[[gnu::always_inline]] static inline T at_most(T high, T x) {
  return x > high ? high : x;
}

template <class T>
[[gnu::always_inline]] static inline T between(T low, T high, T x) {
  const T raised = at_least(low, x);
  return x > high ? high : raised;  // of raised, the question would nest the selects: slower code
}

// c0 + c1 x + c2 x^2 + ... with x2 = x^2: Horner's rule over pairs, as many steps in half the chain
template <class T>
[[gnu::always_inline]] static inline T polynomial(T, T, T c0) {
  return c0;
}

template <class T>
[[gnu::always_inline]] static inline T polynomial(T x, T, T c0, T c1) {
  return fma(x, c1, c0);
}

template <class T, class... Rest>
[[gnu::always_inline]] static inline T polynomial(T x, T x2, T c0, T c1, Rest... rest) {
  return fma(polynomial(x, x2, rest...), x2, fma(x, c1, c0));
}

}  // namespace pymlp::math
