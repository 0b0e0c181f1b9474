// cos and -sin of 2 pi t, in the manner of math.hpp, for the embeddings of numbers: of t = w x + b
// in turns, t less its half turns is had almost without loss.
#pragma once

#include "kernels/vector/math/bits.hpp"

namespace pymlp::math {

template <class T>
struct Turn {
  T rest;              // in turns, at most a quarter
  Bits<T> half_turns;  // the lowest bit: whether they are odd
};

// A sum with the shifter is a multiple of 1/2. First w x is less its nearest, in one rounding, then
// that and b. For |w x| of up to 2^21 turns, 2^50 in double, the error of `rest` is within 2^-24
// turns, 2^-53 in double; far beyond it means nothing, but is still at most a quarter. NaN stays.
template <class T>
[[gnu::always_inline]] static inline Turn<T> turn(T w, T x, T b) {
  constexpr T shifter = Format<T>::shifter / T(2);
  constexpr T quarter = T(0.25);
  const T product = fma(w, x, shifter);
  const T turns = fma(w, x, shifter - product) + b;
  const T sum = turns + shifter;
  const T rest = at_least(-quarter, at_most(quarter, turns - (sum - shifter)));
  return {rest, bits_of(product) + bits_of(sum)};
}

// Minimax, for r up to 0.25; absolute error of the cosine 2^-31.9, relative error of the sine
// 2^-27.4.
[[gnu::always_inline]] static inline float cos_of_quarter(float r2) {
  return fma(r2,
             polynomial(r2, r2 * r2, -0x1.3bd3ccp+4f, 0x1.03c1e6p+6f, -0x1.55d0b0p+6f,
                        0x1.e12df8p+5f, -0x1.900536p+4f),
             1.0f);
}
[[gnu::always_inline]] static inline float minus_sin_of_quarter(float r, float r2) {
  return r * polynomial(r2, r2 * r2, -0x1.921fb6p+2f, 0x1.4abbc2p+5f, -0x1.4668a6p+6f,
                        0x1.324bb4p+6f, -0x1.3d9cc4p+5f);
}

// The same in double: 2^-57.6 and 2^-61.7.
[[gnu::always_inline]] static inline double cos_of_quarter(double r2) {
  return fma(r2,
             polynomial(r2, r2 * r2, -0x1.3bd3cc9be45dcp+4, 0x1.03c1f081b59c1p+6,
                        -0x1.55d3c7e3c0d31p+6, 0x1.e1f50681a597dp+5, -0x1.a6d1efe040fa9p+4,
                        0x1.f9d25a2372786p+2, -0x1.b6963b609a251p+0, 0x1.16831586d911fp-2),
             1.0);
}
[[gnu::always_inline]] static inline double minus_sin_of_quarter(double r, double r2) {
  return r * polynomial(r2, r2 * r2, -0x1.921fb54442d18p+2, 0x1.4abbce625be52p+5,
                        -0x1.466bc6775aa6ap+6, 0x1.32d2cce62737bp+6, -0x1.507834850a410p+5,
                        0x1.e3074dd4c779ep+3, -0x1.e8f35c050d5c8p+1, 0x1.6f790ba1e7d18p-1,
                        -0x1.9d0d72250805bp-4);
}

// Half a turn changes the sign of both.
template <class T>
[[gnu::always_inline]] static inline T turned(T value, Bits<T> half_turns) {
  constexpr int to_the_sign = static_cast<int>(sizeof(T)) * 8 - 1;
  return from_bits<T>(bits_of(value) ^ (half_turns << to_the_sign));
}

}  // namespace pymlp::math
