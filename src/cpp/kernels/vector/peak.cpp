// Peak arithmetic speed: multiply-adds on registers alone, without memory. The speed of products is
// compared with it. The result is meaningless.
#include "kernels/table.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// Enough independent sums to hide the latency of two units, few enough for 16 registers.
constexpr int kSums = 12;

template <class T>
double peak(T* result, index_t iterations) {
  using V = Vector<T, kWidth<T>>;
  // Each sum tends to 1: no number overflows or becomes subnormal, which could change the speed.
  const V factor = V{} + T(0.5);
  const V summand = V{} + T(0.5);
  V sums[kSums];
  for (int s = 0; s < kSums; ++s) sums[s] = V{} + *result + static_cast<T>(s);
  for (index_t i = 0; i < iterations; ++i) {
    for (int s = 0; s < kSums; ++s) sums[s] = fused(sums[s], factor, summand);
  }
  V total = sums[0];
  for (int s = 1; s < kSums; ++s) total += sums[s];
  // Read by the caller, so that the compiler cannot remove the loop.
  *result = total[0];
  return 2.0 * kSums * kWidth<T> * static_cast<double>(iterations);
}

}  // namespace

template <Isa isa, class T>
void add_peak(Kernels<T>& table) {
  table.peak = peak<T>;
}

template void add_peak<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_peak<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
