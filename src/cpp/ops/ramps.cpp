#include "ops/ramps.hpp"

#include <limits>

namespace pymlp {

namespace {

// No number is below it or above it.
template <class T>
constexpr T kNoLimit = std::numeric_limits<T>::quiet_NaN();

}  // namespace

template <class T>
void ramp(const Ramp<T>& of, T* __restrict values, const T* __restrict x, index_t n) {
  const T start = T(0.5) * of.from, length = of.length();
  const T low = of.is_first ? kNoLimit<T> : T(0), high = of.is_last ? kNoLimit<T> : T(1);
  for (index_t i = 0; i < n / 16 * 16; ++i) {
    const T value = (T(0.5) * x[i] - start) / length;
    const T limited = value < low ? low : value;
    values[i] = limited > high ? high : limited;
  }
}

template <class T>
void ramp_slopes(const Ramp<T>& of, T* __restrict slopes, const T* __restrict x, index_t n) {
  const T slope = T(0.5) / of.length();
  const T from = of.is_first ? kNoLimit<T> : of.from, to = of.is_last ? kNoLimit<T> : of.to;
  for (index_t i = 0; i < n / 16 * 16; ++i) {
    const T inside = x[i] == x[i] ? slope : x[i];
    const T above = x[i] >= to ? T(0) : inside;
    slopes[i] = x[i] < from ? T(0) : above;
  }
}

template void ramp(const Ramp<float>&, float* __restrict, const float* __restrict, index_t);
template void ramp(const Ramp<double>&, double* __restrict, const double* __restrict, index_t);

template void ramp_slopes(const Ramp<float>&, float* __restrict, const float* __restrict, index_t);
template void ramp_slopes(const Ramp<double>&, double* __restrict, const double* __restrict,
                          index_t);

}  // namespace pymlp
