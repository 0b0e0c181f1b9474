// What holds a network back while it learns: dropout, penalties on weights, limits on norms.
#include "base/philox.hpp"
#include "kernels/table.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/math/math.hpp"

namespace pymlp {
namespace {

// What all units of one layer in one step share.
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

// g += l1 sign(w) + l2 w.
template <class T>
void add_penalty(T* g, const T* w, index_t n, T l1, T l2) {
  PYMLP_VECTOR_LOOP
  for (index_t i = 0; i < n; ++i) g[i] += l1 * math::sign_of(w[i]) + l2 * w[i];
}

// Sums run in double, 16 side by side.
template <class T>
double sum_of_squares(const T* x, index_t n) {
  const auto take = [](double sum, double value) { return sum + value * value; };
  return reduce(x, n, 0.0, take, [](double a, double b) { return a + b; });
}

template <class T>
double sum_of_magnitudes(const T* x, index_t n) {
  const auto take = [](double sum, double value) { return sum + math::abs(value); };
  return reduce(x, n, 0.0, take, [](double a, double b) { return a + b; });
}

// The weights into a unit are a column; one longer than `limit` is scaled back to it. `scales`
// (n_out,) is room to work in.
template <class T>
void limit_column_norms(MatrixView<T> w, T limit, T* scales) {
  for (index_t j = 0; j < w.cols; ++j) scales[j] = T(0);
  for (index_t i = 0; i < w.rows; ++i) {
    const T* wi = w.row(i);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < w.cols; ++j) scales[j] += wi[j] * wi[j];
  }
  PYMLP_VECTOR_LOOP
  for (index_t j = 0; j < w.cols; ++j) {
    const T norm = math::square_root(scales[j]);
    scales[j] = norm > limit ? limit / norm : T(1);
  }
  for (index_t i = 0; i < w.rows; ++i) {
    T* wi = w.row(i);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < w.cols; ++j) wi[j] *= scales[j];
  }
}

}  // namespace

template <Isa isa, class T>
void add_regularization(Kernels<T>& table) {
  table.dropout = dropout<T>;
  table.add_penalty = add_penalty<T>;
  table.sum_of_squares = sum_of_squares<T>;
  table.sum_of_magnitudes = sum_of_magnitudes<T>;
  table.limit_column_norms = limit_column_norms<T>;
}

template void add_regularization<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_regularization<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
