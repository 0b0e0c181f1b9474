// What the processor can do: multiply-adds on registers alone, no memory. The speed of products is
// measured against this. Compiled with contraction on, so that a product and a sum are one
// instruction wherever there is one; the numbers themselves mean nothing.
#include "kernels/table.hpp"

namespace pymlp {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

// Enough independent sums to hide the latency of two units, few enough for 16 registers.
constexpr int kSums = 12;

template <class T>
double peak(T* result, index_t iterations) {
  typedef T Vector __attribute__((vector_size(kVectorBytes)));
  constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(T));
  // Each sum tends to 1: no number overflows or becomes subnormal, which could change the speed.
  const Vector factor = Vector{} + T(0.5);
  const Vector summand = Vector{} + T(0.5);
  Vector sums[kSums];
  for (int s = 0; s < kSums; ++s) sums[s] = Vector{} + *result + static_cast<T>(s);
  for (index_t i = 0; i < iterations; ++i) {
    for (int s = 0; s < kSums; ++s) sums[s] = sums[s] * factor + summand;
  }
  Vector total = sums[0];
  for (int s = 1; s < kSums; ++s) total += sums[s];
  // Read by the caller: else the compiler would leave the work out.
  *result = total[0];
  return 2.0 * kSums * kWidth * static_cast<double>(iterations);
}

}  // namespace

template <Isa isa, class T>
void add_peak(Kernels<T>& table) {
  table.peak = peak<T>;
}

template void add_peak<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_peak<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
