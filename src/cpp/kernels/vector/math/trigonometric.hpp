// sin and cos for |x| <= 2^20, in the manner of math.hpp.
#pragma once

#include "kernels/vector/math/bits.hpp"

namespace pymlp::math {

// x = n pi/2 + high + low with |high| <= pi/4 and a bit; the low bits of `quadrant` are n's.
struct Reduced {
  double high, low;
  Bits<double> quadrant;
};

// Cody & Waite: the first part of pi/2 has 33 bits, so that its product with n < 2^20 is exact;
// each later sum keeps what rounding took from it.
[[gnu::always_inline]] static inline Reduced reduced(double x) {
  constexpr double part1 = 0x1.921fb544p+0;
  constexpr double part2 = 0x1.0b4611a6p-34;
  constexpr double part3 = 0x1.3198a2e037073p-69;
  const double shifted = x * 0x1.45f306dc9c883p-1 + Format<double>::shifter;
  const double n = shifted - Format<double>::shifter;
  const double first = fma(n, -part1, x);
  const double high = fma(n, -part2, first);
  const double rest = fma(n, -part2, first - high);
  return {high, fma(n, -part3, rest), bits_of(shifted)};
}

// sin(r) - r over r^3, to r^17 by Taylor's series; error relative to sin(r): 2^-59
[[gnu::always_inline]] static inline double sin_tail(double r2) {
  return polynomial(r2, r2 * r2, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800,
                    1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000);
}

// cos(r) - 1 + r^2 / 2 over r^4, to r^16; error relative to cos(r): 2^-58
[[gnu::always_inline]] static inline double cos_tail(double r2) {
  return polynomial(r2, r2 * r2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600,
                    -1.0 / 87178291200, 1.0 / 20922789888000);
}

template <class T>
struct SinAndCos {
  T sin, cos;
};

[[gnu::always_inline]] static inline SinAndCos<double> sin_and_cos(double x) {
  const auto [r, low, quadrant] = reduced(x);
  const double r2 = r * r;
  const double sine = r + fma(r * r2, sin_tail(r2), fma(r2, -0.5 * low, low));
  // 1 - r^2 / 2 loses up to half a bit more than it need; what it lost goes into the tail.
  const double half = 0.5 * r2;
  const double head = 1.0 - half;
  const double lost = (1.0 - head) - half;
  const double cosine = head + fma(r2 * r2, cos_tail(r2), lost - r * low);
  const double s = (quadrant & 1) != 0 ? cosine : sine;
  const double c = (quadrant & 1) != 0 ? sine : cosine;
  const double turned = from_bits<double>(bits_of(s) ^ (quadrant & 2) << 62);
  return {x == 0.0 ? x : turned,  // keeps -0
          from_bits<double>(bits_of(c) ^ ((quadrant + 1) & 2) << 62)};
}

// In double: reduction is the larger part of the work, and needs it.
[[gnu::always_inline]] static inline SinAndCos<float> sin_and_cos(float x) {
  const auto [sine, cosine] = sin_and_cos(static_cast<double>(x));
  return {static_cast<float>(sine), static_cast<float>(cosine)};
}

template <class T>
[[gnu::always_inline]] static inline T sin(T x) {
  return sin_and_cos(x).sin;
}
template <class T>
[[gnu::always_inline]] static inline T cos(T x) {
  return sin_and_cos(x).cos;
}

}  // namespace pymlp::math
