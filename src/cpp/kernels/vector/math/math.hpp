// The elementary functions of the kernels, in float and double: exp, expm1, tanh, sigmoid, log,
// log1p, softplus and erf.
//
// Each is a fixed sequence of IEEE operations (+ - * / fma, selects, integer steps on bits).
// So it gives the same bits on every ISA (of a NaN, only that it is one), and a plain loop over it
// becomes vector code. That wants -fno-math-errno -fno-trapping-math, and -ffp-contract=off.
// Errors are within 2 units in the last place, those of exp within 1.
#pragma once

#include "kernels/vector/math/bits.hpp"

namespace pymlp::math {

// ---------------------------------------------------------------- exp, expm1

template <class T>
struct Ln2;

template <>
struct Ln2<float> {
  static constexpr float high = 0x1.62e430p-1f, low = -0x1.05c610p-29f;
  static constexpr float inverse = 0x1.715476p+0f;
};

template <>
struct Ln2<double> {
  static constexpr double high = 0x1.62e42fefa39efp-1, low = 0x1.abc9e3b39803fp-56;
  static constexpr double inverse = 0x1.71547652b82fep+0;
};

// (e^r - 1 - r) / r^2 for -0.288 <= r <= 0.406, the 1/2 added last to round once; error relative to
// e^r - 1: 2^-31.2
[[gnu::always_inline]] static inline float exp_tail(float r, float r2) {
  const float slope = polynomial(r, r2, 0x1.55555ap-3f, 0x1.555528p-5f, 0x1.110630p-7f,
                                 0x1.6cdf28p-10f, 0x1.b71254p-13f);
  return fma(r, slope, 0.5f);
}

// the same; error relative to e^r - 1: 2^-61.2
[[gnu::always_inline]] static inline double exp_tail(double r, double r2) {
  const double slope = polynomial(
      r, r2, 0x1.5555555555555p-3, 0x1.55555555555c9p-5, 0x1.11111111115cep-7,
      0x1.6c16c16bc81b1p-10, 0x1.a01a019e0060ap-13, 0x1.a01a03e2f1dadp-16, 0x1.71de371c0b37fp-19,
      0x1.27de083ef2f25p-22, 0x1.aec95361d9d4fp-26, 0x1.2e65d3c903f78p-29);
  return fma(r, slope, 0.5);
}

// e^x = 2^n (1 + t), n an integer. The low bits of exponent are n + Offset.
template <class T>
struct ExpParts {
  Bits<T> exponent;
  T t;
};

// 1 + t lies in 0.75 to 1.5, not around 1: below -0.25, t has a bit less to give to 1 - e^x.
// It is rounded once, in its last sum, and is exact enough there for expm1.
template <Bits<float> Offset, class T>
[[gnu::always_inline]] static inline ExpParts<T> exp_parts(T x) {
  constexpr T shifter = Format<T>::shifter + T(Offset);
  const T shifted = fma(x, Ln2<T>::inverse, T(-0.0849)) + shifter;
  const T n = shifted - shifter;
  const T high = fma(n, -Ln2<T>::high, x);  // exact, as the two are close
  const T low = n * -Ln2<T>::low;
  const T r = high + low;
  const T r2 = r * r;
  return {bits_of(shifted), high + fma(r2, exp_tail(r, r2), low)};
}

template <class T>
struct ExpRange;  // e^x rounds to 0 below, to infinity above

template <>
struct ExpRange<float> {
  static constexpr float low = -104.0f, high = 89.0f;
};

template <>
struct ExpRange<double> {
  static constexpr double low = -746.0, high = 710.0;
};

// e^x for x in ExpRange. 2^n is applied in two halves: n alone may exceed the exponents, and the
// last product rounds a subnormal result.
template <class T>
[[gnu::always_inline]] static inline T exp_in_range(T x) {
  constexpr int mantissa = Format<T>::mantissa_bits;
  const auto [exponent, t] = exp_parts<2 * Format<T>::bias>(x);
  const Bits<T> half = (exponent << (mantissa - 1)) & ~((Bits<T>(1) << mantissa) - 1);
  const Bits<T> rest = (exponent << mantissa) - half;
  return fma(from_bits<T>(half), t, from_bits<T>(half)) * from_bits<T>(rest);
}

template <class T>
[[gnu::always_inline]] static inline T exp(T x) {
  return exp_in_range(between(ExpRange<T>::low, ExpRange<T>::high, x));
}

// e^-|x|
template <class T>
[[gnu::always_inline]] static inline T exp_minus_abs(T x) {
  return exp_in_range(at_least(ExpRange<T>::low, minus_abs(x)));
}

// e^x - 1, from half of 2^n, as n comes to exceed the exponents by one
template <class T>
[[gnu::always_inline]] static inline T expm1(T x) {
  const auto [exponent, t] = exp_parts<Format<T>::bias - 1>(between(T(-40), ExpRange<T>::high, x));
  const T half = power_of_two<T>(exponent);
  const T r = T(2) * fma(half, t, half - T(0.5));
  return abs(x) < T(0x1p-60) ? x : r;  // keeps -0, and subnormal numbers, which do not halve
}

template <class T>
struct ExpAndExpm1 {
  T exp, expm1;
};

// Both for x <= 0, by the same operations: e^x and e^x - 1 have a polynomial in common.
template <class T>
[[gnu::always_inline]] static inline ExpAndExpm1<T> exp_and_expm1(T x) {
  return {exp(x), expm1(x)};
}

// ---------------------------------------------------------------- tanh, sigmoid

template <class T>
struct TanhRange;  // tanh rounds to 1 above

template <>
struct TanhRange<float> {
  static constexpr float high = 9.25f;
};

template <>
struct TanhRange<double> {
  static constexpr double high = 19.5;
};

// (1 - e) / (1 + e) with e = e^(-2|x|) = 2^n (1 + t), both sides without cancellation and rounded
// once. above_one sends 1 + 2^n up where it is a tie: down, the sum would lose all of e.
template <class T>
[[gnu::always_inline]] static inline T tanh(T x) {
  constexpr T above_one = from_bits<T>(bits_of(T(1)) + 1);
  const T argument = at_least(-2 * TanhRange<T>::high, 2 * minus_abs(x));
  const auto [exponent, t] = exp_parts<Format<T>::bias>(argument);
  const T scale = power_of_two<T>(exponent);
  const T sum = fma(scale, above_one, T(1));
  return with_sign(fma(-scale, t, T(1) - scale) / fma(scale, t, sum), x);
}

// 1 / (1 + e^-x). A small power of two on both sides of the quotient keeps e^-x from overflow where
// the result fades to 0 through the subnormal numbers. lost is what a large 2^n swallows of the 1.
template <class T>
[[gnu::always_inline]] static inline T sigmoid(T x) {
  constexpr Bits<T> offset = Format<T>::bias - Format<T>::bias / 2;
  constexpr T one = power_of_two<T>(offset);
  const auto [exponent, t] = exp_parts<offset>(between(T(-40), -ExpRange<T>::low, -x));
  const T scale = power_of_two<T>(exponent);
  const T sum = one + scale;
  const T lost = one - (sum - scale);
  return one / (sum + fma(scale, t, lost));
}

// ---------------------------------------------------------------- log, log1p, softplus

// (2 atanh(s) - 2 s) / s^3 in z = s^2 for 0 <= z <= 1/9; error relative to 2 atanh(s): 2^-27.7
[[gnu::always_inline]] static inline float log_tail(float z) {
  return polynomial(z, z * z, 0x1.555502p-1f, 0x1.99d1ccp-2f, 0x1.1ec040p-2f, 0x1.1eca18p-2f);
}

// the same; error relative to 2 atanh(s): 2^-59.4
[[gnu::always_inline]] static inline double log_tail(double z) {
  return polynomial(z, z * z, 0x1.5555555555535p-1, 0x1.99999999a074fp-2, 0x1.249249208cfd1p-2,
                    0x1.c71c741bc848ap-3, 0x1.745cb4248a283p-3, 0x1.3b1dd764a92d1p-3,
                    0x1.10680676a3f0dp-3, 0x1.efd3967bec0b7p-4, 0x1.55c83012b245ep-4,
                    0x1.5c61632fd2368p-3);
}

// log(1 + f) for 0.7 < 1 + f <= 2: with s = f / (2 + f) it is 2 atanh(s), and 2 s = f - s f
template <class T>
[[gnu::always_inline]] static inline T log_near_one(T f) {
  const T s = f / (T(2) + f);
  const T z = s * s;
  return fma(-s, fma(-z, log_tail(z), f), f);
}

// x = 2^k m with sqrt(1/2) <= m < sqrt(2), for normal x > 0; exponent is k + bias
template <class T>
struct LogParts {
  Bits<T> exponent;
  T k, m;
};

template <class T>
[[gnu::always_inline]] static inline LogParts<T> log_parts(T x) {
  constexpr int mantissa = Format<T>::mantissa_bits;
  constexpr Bits<T> one = bits_of(T(1));
  constexpr Bits<T> root_half = bits_of(T(0x1.6a09e667f3bcdp-1));
  constexpr T shifter = T(Bits<T>(1) << mantissa);
  const Bits<T> exponent = (bits_of(x) - root_half + one) >> mantissa;
  const T k = from_bits<T>(bits_of(shifter) + exponent) - (shifter + T(Format<T>::bias));
  return {exponent, k, from_bits<T>(bits_of(x) - (exponent << mantissa) + one)};
}

// k log(2) + log(1 + f)
template <class T>
[[gnu::always_inline]] static inline T log_sum(T k, T f) {
  return fma(k, Ln2<T>::high, fma(k, Ln2<T>::low, log_near_one(f)));
}

// log(u), given a value that is right for finite u > 0
template <class T>
[[gnu::always_inline]] static inline T log_limits(T u, T value) {
  const T inside = u < Format<T>::infinity ? value : u;
  const T outside = u == T(0) ? -Format<T>::infinity : Format<T>::nan;
  return u > T(0) ? inside : outside;
}

template <class T>
[[gnu::always_inline]] static inline T log(T x) {
  constexpr T lift = T(Bits<T>(1) << Format<T>::mantissa_bits);
  const bool subnormal = x < power_of_two<T>(1);
  const auto [exponent, k, m] = log_parts(subnormal ? x * lift : x);
  return log_limits(x, log_sum(subnormal ? k - T(Format<T>::mantissa_bits) : k, m - T(1)));
}

// log(1 + x): what rounding takes from u = 1 + x is brought back, scaled, into m - 1
template <class T>
[[gnu::always_inline]] static inline T log1p(T x) {
  const T u = T(1) + x;
  const T x_in_u = u - T(1);
  const T lost = (T(1) - (u - x_in_u)) + (x - x_in_u);
  const auto [exponent, k, m] = log_parts(u);
  const T twice_scale = power_of_two<T>(2 * Format<T>::bias + 1 - exponent);  // 2^(1 - k)
  const T f = fma(T(0.5) * lost, twice_scale, m - T(1));
  return abs(x) < T(0x1p-60) ? x : log_limits(u, log_sum(k, f));  // as in expm1
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
template <class T>
[[gnu::always_inline]] static inline T softplus(T x) {
  return at_least(T(0), x) + log_near_one(exp_minus_abs(x));
}

// ---------------------------------------------------------------- erf

template <class T>
struct ErfRange;  // erf rounds to 1 above

template <>
struct ErfRange<float> {
  static constexpr float high = 4.0f;
};

template <>
struct ErfRange<double> {
  static constexpr double high = 6.0;
};

// w(a) = -log(1 - erf(a)) for a in ErfRange: smooth, and 2 a / sqrt(pi) at the start. That slope
// has two parts, so that w is about as good as one rounding. Relative error seen in erf(a): 2^-27.8
[[gnu::always_inline]] static inline float erf_exponent(float a) {
  const float rest = polynomial(a, a * a, -0x1.cf5f2ep-25f, 0x1.45f2fap-1f, 0x1.a4fa24p-4f,
                                -0x1.39c824p-6f, -0x1.57cd6ep-13f, 0x1.b630c2p-10f,
                                -0x1.4d5608p-11f, 0x1.f157e2p-14f, -0x1.3a69a0p-17f);
  return fma(a, 0x1.20dd76p+0f, a * rest);
}

// the same; relative error seen in erf(a): 2^-56.1
[[gnu::always_inline]] static inline double erf_exponent(double a) {
  const double rest = polynomial(
      a, a * a, 0x1.324f7f53dc374p-57, 0x1.45f306dc9c899p-1, 0x1.a4f4e2a1b1e79p-4,
      -0x1.39668593cebbap-6, -0x1.b6b68c1d3af06p-13, 0x1.bca67bf7bcb9ep-10, -0x1.356550fadba4fp-11,
      0x1.b22c52ce4b463p-16, 0x1.0e7f437a33b5fp-14, -0x1.f2ad3aed7b8f0p-16, 0x1.c932c0fe3bd2ap-19,
      0x1.7ca92d981cd21p-19, -0x1.d3bd956f1d663p-20, 0x1.69e635e5c8c87p-22, 0x1.25b9fb07d6b54p-23,
      -0x1.300361cf9104ep-23, 0x1.19ffc30b43998p-24, -0x1.67bbaca31df70p-26, 0x1.570afd1ae25d3p-28,
      -0x1.f2b087c7ba6a4p-31, 0x1.122b34dbaf674p-33, -0x1.bb16625896315p-37, 0x1.f136cd6f0c0f0p-41,
      -0x1.5a450941dd3d8p-45, 0x1.c2d7dfa67c003p-51);
  return fma(a, 0x1.20dd750429b6dp+0, a * rest);
}

// 1 - e^-w
template <class T>
[[gnu::always_inline]] static inline T erf(T x) {
  const T w = erf_exponent(at_most(ErfRange<T>::high, abs(x)));
  const auto [exponent, t] = exp_parts<Format<T>::bias>(-w);
  const T scale = power_of_two<T>(exponent);
  return with_sign(fma(-scale, t, T(1) - scale), x);
}

}  // namespace pymlp::math
