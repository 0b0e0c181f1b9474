// Inverted dropout, with masks that depend on seed, step, layer, sample and unit alone.
#include "base/philox.hpp"
#include "kernels/table.hpp"
#include "kernels/vector/loops.hpp"

namespace pymlp {
namespace {

// The constants of one layer in one step.
template <class T>
struct DropoutConstants {
  std::uint32_t threshold;
  T kept;
  std::uint32_t step_low, step_high, seed_low, seed_high;
};

// One quarter of a row takes one of the four words of each block. Which one is known when this is
// compiled: a choice inside the loop keeps some compilers from making vectors of it.
template <std::uint32_t PhiloxBlock::* word, class T>
PYMLP_INLINE void drop_quarter(T* y, const T* x, index_t first, index_t last, std::uint32_t row,
                               const DropoutConstants<T>& constants) {
  const DropoutConstants<T> c = constants;
  PYMLP_VECTOR_LOOP
  for (index_t j = first; j < last; ++j) {
    const PhiloxBlock drawn = philox(static_cast<std::uint32_t>(j - first), row, c.step_low,
                                     c.step_high, c.seed_low, c.seed_high);
    y[j] = drawn.*word >= c.threshold ? c.kept * x[j] : T(0);
  }
}

// Inverted dropout, Srivastava et al., JMLR 15, 2014: a unit is kept with probability 1 - rate and
// then divided by that. Unit j of sample i has one of the four words drawn at (j mod quarter, i,
// step), so that the draws of neighbouring units lie side by side and the loop becomes vectors. The
// layer is part of the key, inverted: weights and orders are drawn with the seed alone.
template <class T>
void dropout(MatrixView<T> to, ConstMatrixView<T> from, double rate, std::uint64_t seed,
             std::uint64_t step, std::uint32_t layer, index_t first_row) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  const DropoutConstants<T> c{static_cast<std::uint32_t>(rate * 0x1p32),
                              static_cast<T>(1.0 / (1.0 - rate)),
                              low(step),
                              high(step),
                              low(seed),
                              high(seed) ^ ~layer};
  const index_t n = to.cols;
  const index_t quarter = (n + 3) / 4;
  const auto start = [n, quarter](index_t part) { return part * quarter < n ? part * quarter : n; };
  for (index_t i = 0; i < to.rows; ++i) {
    const auto row = static_cast<std::uint32_t>(first_row + i);
    const T* x = from.row(i);
    T* y = to.row(i);
    drop_quarter<&PhiloxBlock::w0>(y, x, start(0), start(1), row, c);
    drop_quarter<&PhiloxBlock::w1>(y, x, start(1), start(2), row, c);
    drop_quarter<&PhiloxBlock::w2>(y, x, start(2), start(3), row, c);
    drop_quarter<&PhiloxBlock::w3>(y, x, start(3), n, row, c);
  }
}

}  // namespace

template <Isa isa, class T>
void add_dropout(Kernels<T>& table) {
  table.dropout = dropout<T>;
}

template void add_dropout<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_dropout<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
