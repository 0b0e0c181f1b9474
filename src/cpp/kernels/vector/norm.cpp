// Norms of rows and of columns. Sums over a row run in 16 lanes, so its result is the same on every
// ISA and beside any other rows.
#include <limits>

#include "kernels/table.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/math/math.hpp"

namespace pymlp {
namespace {

template <class T>
PYMLP_INLINE T sum_of_squared_differences(const T* x, T mean, index_t n) {
  const auto take = [mean](T sum, T x) { return sum + (x - mean) * (x - mean); };
  return reduce(x, n, T(0), take, [](T a, T b) { return a + b; });
}

template <class T>
struct RowMoments {
  T mean, factor;
};

// Of a row whose squares overflow: of the row times a small power of two, number by number, as that
// is seldom. Beside such a variance epsilon is nothing.
template <class T>
__attribute__((noinline)) RowMoments<T> moments_of_huge_row(const T* z, index_t n, bool centred) {
  constexpr T small = sizeof(T) == 4 ? T(0x1p-80f) : T(0x1p-600);
  const T count = static_cast<T>(n);
  T sum = 0, squares = 0;
  for (index_t j = 0; centred && j < n; ++j) sum += z[j] * small;
  const T mean = sum / count;
  for (index_t j = 0; j < n; ++j) squares += (z[j] * small - mean) * (z[j] * small - mean);
  return {mean / small, small / math::square_root(squares / count)};
}

template <bool centred, class T>
PYMLP_INLINE RowMoments<T> moments_of_row(const T* z, index_t n, T epsilon) {
  const T count = static_cast<T>(n);
  const T mean = centred ? sum_of(z, n) / count : T(0);
  const T variance = sum_of_squared_differences(z, mean, n) / count;
  if (variance > std::numeric_limits<T>::max()) return moments_of_huge_row(z, n, centred);
  return {mean, T(1) / math::square_root(variance + epsilon)};
}

// y = gain * xhat + shift; xhat is kept where it is wanted.
template <bool keep, bool centred, class T>
PYMLP_INLINE void norm_of_row(T* y, T* xhat, const T* z, T mean, T factor, const T* gain,
                              const T* shift, index_t n) {
  PYMLP_VECTOR_LOOP
  for (index_t j = 0; j < n; ++j) {
    const T normed = (z[j] - mean) * factor;
    if (keep) xhat[j] = normed;
    y[j] = centred ? gain[j] * normed + shift[j] : gain[j] * normed;
  }
}

template <bool keep, bool centred, class T>
void row_norm_of(MatrixView<T> y, MatrixView<T> xhat, MatrixView<T> factors, ConstMatrixView<T> z,
                 const T* gain, const T* shift, T epsilon) {
  for (index_t i = 0; i < z.rows; ++i) {
    const T* zi = z.row(i);
    const auto [mean, factor] = moments_of_row<centred>(zi, z.cols, epsilon);
    if (keep) *factors.row(i) = factor;
    norm_of_row<keep, centred>(y.row(i), keep ? xhat.row(i) : nullptr, zi, mean, factor, gain,
                               shift, z.cols);
  }
}

template <class T>
void row_norm(MatrixView<T> y, MatrixView<T> xhat, MatrixView<T> factors, ConstMatrixView<T> z,
              const T* gain, const T* shift, T epsilon) {
  const auto run = [&](auto function) { function(y, xhat, factors, z, gain, shift, epsilon); };
  const bool keep = factors.data != nullptr, centred = shift != nullptr;
  if (keep) return run(centred ? row_norm_of<true, true, T> : row_norm_of<true, false, T>);
  run(centred ? row_norm_of<false, true, T> : row_norm_of<false, false, T>);
}

// Of one row: sum_j gain_j dy_j and sum_j gain_j dy_j xhat_j, in lanes; and its part of the sums
// over rows.
template <bool centred, class T>
PYMLP_INLINE void row_sums(const T* dy, const T* xhat, const T* gain, T* dgain, T* dshift,
                           index_t n, T& sum, T& dot) {
  T sums[kLanes] = {}, dots[kLanes] = {};
  const auto take = [&](index_t j, index_t l) {
    const T dxhat = gain[j] * dy[j];
    if (centred) sums[l] += dxhat;
    dots[l] += dxhat * xhat[j];
    dgain[j] += dy[j] * xhat[j];
    if (centred) dshift[j] += dy[j];
  };
  index_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < kLanes; ++l) take(j + l, l);
  }
  for (index_t l = 0; j < n; ++j, ++l) take(j, l);
  sum = centred ? folded(sums) : T(0);
  dot = folded(dots);
}

// dz = factor (dxhat - mean(dxhat) - xhat mean(dxhat xhat)), dxhat = gain * dy.
template <bool centred, class T>
void row_norm_backward_of(MatrixView<T> dy, ConstMatrixView<T> xhat, ConstMatrixView<T> factors,
                          const T* gain, T* dgain, T* dshift) {
  const index_t n = dy.cols;
  const T count = static_cast<T>(n);
  for (index_t j = 0; j < n; ++j) dgain[j] = T(0);
  for (index_t j = 0; centred && j < n; ++j) dshift[j] = T(0);
  for (index_t i = 0; i < dy.rows; ++i) {
    T* d = dy.row(i);
    const T* x = xhat.row(i);
    T sum, dot;
    row_sums<centred>(d, x, gain, dgain, dshift, n, sum, dot);
    const T factor = *factors.row(i), mean = sum / count, slope = dot / count;
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < n; ++j) d[j] = factor * (gain[j] * d[j] - mean - x[j] * slope);
  }
}

template <class T>
void row_norm_backward(MatrixView<T> dy, ConstMatrixView<T> xhat, ConstMatrixView<T> factors,
                       const T* gain, T* dgain, T* dshift) {
  const bool centred = dshift != nullptr;
  (centred ? row_norm_backward_of<true, T> : row_norm_backward_of<false, T>)(dy, xhat, factors,
                                                                             gain, dgain, dshift);
}

// ---- columns ------------------------------------------------------------------------------------
// Some at a time, whose factors stay in registers; a column's sums run over the rows in order.
inline constexpr index_t kColumns = 64;

// body(first, cols) for one group of columns after the other.
template <class Body>
PYMLP_INLINE void for_columns(index_t n, Body body) {
  for (index_t first = 0; first < n; first += kColumns) {
    body(first, first + kColumns < n ? kColumns : n - first);
  }
}

template <class T>
struct ColumnFactors {
  PYMLP_INLINE ColumnFactors(const T* variance, T epsilon, index_t cols) {
    for (index_t j = 0; j < cols; ++j) of[j] = T(1) / math::square_root(variance[j] + epsilon);
  }
  T of[kColumns];
};

template <class T>
void column_moments(T* sums, T* squares, ConstMatrixView<T> z) {
  for_columns(z.cols, [&](index_t first, index_t cols) {
    T sum[kColumns] = {}, mean[kColumns], square[kColumns] = {};
    const T* z0 = z.row(0) + first;
    for (index_t i = 0; i < z.rows; ++i) {
      const T* zi = z.row(i) + first;
      for (index_t j = 0; j < cols; ++j) sum[j] += zi[j] - z0[j];
    }
    for (index_t j = 0; j < cols; ++j) mean[j] = sum[j] / static_cast<T>(z.rows);
    for (index_t i = 0; i < z.rows; ++i) {
      const T* zi = z.row(i) + first;
      for (index_t j = 0; j < cols; ++j) {
        const T apart = (zi[j] - z0[j]) - mean[j];
        square[j] += apart * apart;
      }
    }
    for (index_t j = 0; j < cols; ++j) sums[first + j] = sum[j];
    for (index_t j = 0; j < cols; ++j) squares[first + j] = square[j];
  });
}

template <bool keep, class T>
void column_norm_of(MatrixView<T> y, MatrixView<T> xhat, ConstMatrixView<T> z, const T* means,
                    const T* variances, const T* gain, T epsilon) {
  const T* shift = gain + z.cols;
  for_columns(z.cols, [&](index_t first, index_t cols) {
    const ColumnFactors<T> factors(variances + first, epsilon, cols);
    for (index_t i = 0; i < z.rows; ++i) {
      T* yi = y.row(i) + first;
      T* kept = keep ? xhat.row(i) + first : nullptr;
      const T* zi = z.row(i) + first;
      PYMLP_VECTOR_LOOP
      for (index_t j = 0; j < cols; ++j) {
        const T normed = (zi[j] - means[first + j]) * factors.of[j];
        if (keep) kept[j] = normed;
        yi[j] = gain[first + j] * normed + shift[first + j];
      }
    }
  });
}

template <class T>
void column_norm(MatrixView<T> y, MatrixView<T> xhat, ConstMatrixView<T> z, const T* means,
                 const T* variances, const T* gain, T epsilon) {
  const bool keep = xhat.data != nullptr;
  (keep ? column_norm_of<true, T> : column_norm_of<false, T>)(y, xhat, z, means, variances, gain,
                                                              epsilon);
}

template <class T>
void column_norm_sums(T* sums, ConstMatrixView<T> dy, ConstMatrixView<T> xhat) {
  for_columns(dy.cols, [&](index_t first, index_t cols) {
    T dgain[kColumns] = {}, dshift[kColumns] = {};
    for (index_t i = 0; i < dy.rows; ++i) {
      const T* d = dy.row(i) + first;
      const T* x = xhat.row(i) + first;
      for (index_t j = 0; j < cols; ++j) {
        dgain[j] += d[j] * x[j];
        dshift[j] += d[j];
      }
    }
    for (index_t j = 0; j < cols; ++j) sums[first + j] = dgain[j];
    for (index_t j = 0; j < cols; ++j) sums[dy.cols + first + j] = dshift[j];
  });
}

// dz = gain factor (dy - mean(dy) - xhat mean(dy xhat)); by given statistics the means are not
// there.
template <class T>
void column_norm_backward(MatrixView<T> dy, ConstMatrixView<T> xhat, const T* means,
                          const T* variances, const T* gain, T epsilon) {
  for_columns(dy.cols, [&](index_t first, index_t cols) {
    ColumnFactors<T> factors(variances + first, epsilon, cols);
    for (index_t j = 0; j < cols; ++j) factors.of[j] *= gain[first + j];
    const T* slopes = means != nullptr ? means + first : nullptr;
    const T* shifts = means != nullptr ? slopes + dy.cols : nullptr;
    for (index_t i = 0; i < dy.rows; ++i) {
      T* d = dy.row(i) + first;
      const T* x = xhat.row(i) + first;
      if (means == nullptr) {
        PYMLP_VECTOR_LOOP
        for (index_t j = 0; j < cols; ++j) d[j] *= factors.of[j];
        continue;
      }
      PYMLP_VECTOR_LOOP
      for (index_t j = 0; j < cols; ++j) {
        d[j] = factors.of[j] * (d[j] - shifts[j] - x[j] * slopes[j]);
      }
    }
  });
}

}  // namespace

template <Isa isa, class T>
void add_norms(Kernels<T>& table) {
  table.row_norm = row_norm<T>;
  table.row_norm_backward = row_norm_backward<T>;
  table.column_moments = column_moments<T>;
  table.column_norm = column_norm<T>;
  table.column_norm_sums = column_norm_sums<T>;
  table.column_norm_backward = column_norm_backward<T>;
}

template void add_norms<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_norms<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
