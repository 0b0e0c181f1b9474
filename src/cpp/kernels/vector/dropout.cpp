// Inverted dropout, with masks that depend on seed, step, layer, sample and unit alone; and draws.
#include "kernels/table.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/philox_vectors.hpp"

namespace pymlp {
namespace {

template <class T>
struct DropoutConstants {
  std::uint32_t threshold;  // a unit whose draw is less is dropped
  T kept;                   // what the others are multiplied by

  // Rates are multiples of 2^-16, and some units are always kept. The factor is that of the rate
  // that is, so that the mean stays.
  explicit DropoutConstants(double rate) {
    const double rounded = rate * kDrawRange + 0.5;
    threshold = static_cast<std::uint32_t>(rounded < kDrawRange ? rounded : kDrawRange - 1);
    kept = static_cast<T>(kDrawRange / (kDrawRange - threshold));
  }
};

template <class T>
PYMLP_INLINE void drop(T* y, const T* x, const std::uint32_t* draws, index_t n,
                       const DropoutConstants<T>& constants) {
  const auto [threshold, kept] = constants;
  PYMLP_VECTOR_LOOP
  for (index_t j = 0; j < n; ++j) y[j] = draws[j] >= threshold ? kept * x[j] : T(0);
}

// Inverted dropout, Srivastava et al., JMLR 15, 2014: a unit is kept with probability 1 - rate and
// then divided by that. Unit j of sample i of the batch has draw i n + j of this step. The layer is
// part of the key, inverted: weights and orders are drawn with the seed alone.
template <class T>
void dropout(MatrixView<T> to, ConstMatrixView<T> from, double rate, std::uint64_t seed,
             std::uint64_t step, std::uint32_t layer, index_t first_row) {
  const DropoutConstants<T> constants(rate);
  const PhiloxVectors philox(seed ^ std::uint64_t{~layer} << 32, step);
  alignas(64) std::uint32_t draws[kDrawsOfGroup];
  index_t next = first_row * to.cols;
  index_t end = next;  // of the draws that there are
  for (index_t i = 0; i < to.rows; ++i) {
    for (index_t j = 0; j < to.cols;) {
      const index_t begin = next % kDrawsOfGroup;
      if (next >= end) {
        philox.draw(draws, next / kDrawsOfGroup);
        end = next - begin + kDrawsOfGroup;
      }
      const index_t count = end - next < to.cols - j ? end - next : to.cols - j;
      drop(to.row(i) + j, from.row(i) + j, draws + begin, count, constants);
      j += count;
      next += count;
    }
  }
}

void draw(std::uint64_t* draws, std::uint64_t seed, std::uint64_t stream, std::uint64_t counter) {
  static_assert(kDrawsAtOnce == 2 * kCountersOfGroup);
  PhiloxVectors(seed, stream).draw_in_order(draws, counter);
}

}  // namespace

template <Isa isa, class T>
void add_dropout(Kernels<T>& table) {
  table.dropout = dropout<T>;
  table.draw = draw;
}

template void add_dropout<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_dropout<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
