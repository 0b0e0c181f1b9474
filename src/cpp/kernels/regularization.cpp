// What holds a network back while it learns: dropout, penalties on weights, limits on norms.
#include "base/philox.hpp"
#include "kernels/loops.hpp"
#include "kernels/math.hpp"
#include "kernels/table.hpp"

namespace pymlp {
namespace {

// Inverted dropout, Srivastava et al., JMLR 15, 2014: a unit is kept with probability 1 - rate and
// then divided by that. Unit j of sample i has one of the four words drawn at (j mod quarter, i,
// step), so that the draws of neighbouring units lie side by side and the loop becomes vectors.
template <class T>
void dropout(MatrixView<T> to, ConstMatrixView<T> from, double rate, std::uint64_t seed,
             std::uint64_t step, std::uint32_t layer, index_t first_row) {
  const auto threshold = static_cast<std::uint32_t>(rate * 0x1p32);
  const T kept = static_cast<T>(1.0 / (1.0 - rate));
  const auto seed_low = static_cast<std::uint32_t>(seed);
  const auto seed_high = static_cast<std::uint32_t>(seed >> 32) ^ layer;
  const index_t quarter = (to.cols + 3) / 4;
  for (index_t i = 0; i < to.rows; ++i) {
    const T* x = from.row(i);
    T* y = to.row(i);
    const auto row = static_cast<std::uint32_t>(first_row + i);
    for (index_t part = 0; part < 4; ++part) {
      const index_t start = part * quarter;
      const index_t count = to.cols - start < quarter ? to.cols - start : quarter;
      PYMLP_VECTOR_LOOP
      for (index_t j = 0; j < count; ++j) {
        const PhiloxBlock drawn =
            philox(static_cast<std::uint32_t>(j), row, static_cast<std::uint32_t>(step),
                   static_cast<std::uint32_t>(step >> 32), seed_low, seed_high);
        const std::uint32_t word = part == 0   ? drawn.w0
                                   : part == 1 ? drawn.w1
                                   : part == 2 ? drawn.w2
                                               : drawn.w3;
        y[start + j] = word >= threshold ? kept * x[start + j] : T(0);
      }
    }
  }
}

template <class T>
PYMLP_INLINE T sign_of(T x) {
  return x > T(0) ? T(1) : x < T(0) ? T(-1) : x;
}

// g += l1 sign(w) + l2 w.
template <class T>
void add_penalty(T* g, const T* w, index_t n, T l1, T l2) {
  PYMLP_VECTOR_LOOP
  for (index_t i = 0; i < n; ++i) g[i] += l1 * sign_of(w[i]) + l2 * w[i];
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

PYMLP_INLINE float square_root(float x) { return __builtin_sqrtf(x); }
PYMLP_INLINE double square_root(double x) { return __builtin_sqrt(x); }

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
    const T norm = square_root(scales[j]);
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
