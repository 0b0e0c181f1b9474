// Powers with whole exponents, the same on every machine: the C library's pow() is not.
#pragma once

#include <cmath>
#include <cstdint>

namespace pymlp {

// The sum of two doubles, the second less than a rounding of the first: some 106 bits.
struct DoubleDouble {
  double high, low;
};

inline DoubleDouble operator*(const DoubleDouble& a, const DoubleDouble& b) {
  const double high = a.high * b.high;
  const double lost = std::fma(a.high, b.high, -high);
  const double low = lost + (a.high * b.low + a.low * b.high);
  const double sum = high + low;
  return {sum, low - (sum - high)};
}

// base^exponent for |base| <= 1, by squaring. The relative error before the one rounding at the end
// is some exponent 2^-104: up to millions, the result is the double next to the power.
inline double power(double base, std::uint64_t exponent) {
  DoubleDouble result{1.0, 0.0};
  DoubleDouble square{base, 0.0};
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result = result * square;
    if (exponent > 1) square = square * square;
  }
  return result.high;
}

}  // namespace pymlp
