#include "kernels/orthogonal.hpp"

#include <algorithm>
#include <cmath>

#include "base/buffer.hpp"
#include "base/range.hpp"
#include "base/team.hpp"
#include "kernels/normal.hpp"
#include "kernels/panels.hpp"
#include "kernels/table.hpp"

namespace pymlp {

namespace {

// ---- few rows: Gram-Schmidt ----

// The additions of a projection wait for one another. More rows would take seconds.
constexpr index_t kFewRows = 512;

double dot(const double* x, const double* y, index_t n) {
  double sum = 0.0;
  for (index_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

// With one repetition, which is orthogonal up to rounding ("twice is enough", Kahan).
void orthonormalize_rows(MatrixView<double> q, Interrupt* interrupt) {
  constexpr index_t kLook = 64;  // rows from one look at the clock to the next
  for (index_t i = 0; i < q.rows; ++i) {
    double* qi = q.row(i);
    for (int pass = 0; pass < 2; ++pass) {
      for (index_t r = 0; r < i; ++r) {
        if (r % kLook == 0 && requested(interrupt)) return;
        const double projection = dot(qi, q.row(r), q.cols);
        for (index_t j = 0; j < q.cols; ++j) qi[j] -= projection * q.row(r)[j];
      }
    }
    const double length = std::sqrt(dot(qi, qi, q.cols));
    for (index_t j = 0; j < q.cols; ++j) qi[j] /= length;
  }
}

void draw_row(double* row, index_t n, Random& random, Interrupt* interrupt) {
  constexpr index_t kLook = 1 << 15;
  for (index_t j = 0; j < n; ++j) {
    if (j % kLook == 0 && requested(interrupt)) return;
    row[j] = draw_normal(random);
  }
}

void gram_schmidt(MatrixView<double> q, Random random, Interrupt* interrupt) {
  for (index_t i = 0; i < q.rows; ++i) draw_row(q.row(i), q.cols, random, interrupt);
  orthonormalize_rows(q, interrupt);
}

// ---- many rows: reflections ----

// The QR decomposition of normal draws, R's diagonal positive, has a uniformly distributed Q. That
// is a product of Householder reflections, each by draws that no other one has touched: so they are
// drawn, and nothing is decomposed (Stewart, SIAM J. Numer. Anal. 17, 1980).
//
// Row by row: q = D H_k ... H_1, of which D are signs in the first k columns, and H_i = I - v^T v
// leaves alone the columns before i. The reflections of a block, U their rows v, are multiplied in
// at once (Schreiber & Van Loan's compact WY): q -= q U^T L^-1 U. L has ones on its
// diagonal, and below it what U U^T has there.
class Reflections {
 public:
  Reflections(MatrixView<double> q, const Random& random, Interrupt* interrupt)
      : q_(q), random_(random), interrupt_(interrupt) {}

  void multiply() {
    for (index_t first = (q_.rows - 1) / kBlock * kBlock; first >= 0; first -= kBlock) {
      const index_t count = std::min(kBlock, q_.rows - first);
      u_ = {vectors_.data(), count, q_.cols - first, stride_};
      draw(first);
      combine();
      if (came(interrupt_)) return;
      apply({q_.row(first) + first, q_.rows - first, u_.cols, q_.stride});
    }
  }

 private:
  using Matrix = MatrixView<double>;
  static constexpr index_t kBlock = 128;     // reflections
  static constexpr index_t kRows = 48;       // of q, that a task takes
  static constexpr index_t kColumns = 1024;  // 48 rows of them stay in a second-level cache
  static constexpr index_t kStride = padded_stride<double>(kBlock);
  static_assert(kColumns % kChain == 0);

  // v and the sign on the diagonal of D: the reflection takes the draws to the first axis, and the
  // sign to its positive side. |v|^2 is 2.
  double draw_reflection(double* v, index_t n, Random random) {
    draw_row(v, n, random, interrupt_);
    const double length = std::sqrt(k_.sum_of_squares(v, n));
    const double scale = 1.0 / std::sqrt(length * (length + std::abs(v[0])));
    const double sign = v[0] < 0.0 ? -1.0 : 1.0;
    v[0] += sign * length;
    for (index_t j = 0; j < n; ++j) v[j] *= scale;
    return -sign;
  }

  // The rows of U, and its transpose in panels. Each is drawn from a part of the stream of its own.
  void draw(index_t first) {
    const index_t tasks = (u_.rows + k_.panel_width - 1) / k_.panel_width;
    parallel_for(tasks, threads_, [&](index_t t, index_t) {
      const index_t begin = t * k_.panel_width;
      const index_t count = std::min(k_.panel_width, u_.rows - begin);
      for (index_t r = begin; r < begin + count; ++r) {
        const index_t i = first + r;
        std::fill_n(u_.row(r), r, 0.0);
        q_.row(i)[i] = draw_reflection(u_.row(r) + r, u_.cols - r, random_.part(i));
      }
      if (!requested(interrupt_)) k_.transpose(panels_.data(), u_, begin, count);
    });
  }

  // -L^-1, row by row from those before it.
  void combine() {
    const index_t n = u_.rows;
    const Matrix l{products_.data(), n, n, kStride};
    const Matrix inverse{inverse_.data(), n, n, kStride};
    const index_t tasks = (n + kRows - 1) / kRows;
    parallel_for(tasks, threads_, [&](index_t t, index_t) {
      const auto [first, count] = part_of(n, t, tasks);
      multiply_by_vectors(l.slice(first, count), u_.slice(first, count));
    });
    for (index_t i = 0; i < n; ++i) {
      double* row = inverse.row(i);
      std::fill_n(row, n, 0.0);
      row[i] = -1.0;
      for (index_t j = 0; j < i; ++j) k_.add_scaled(row, row, inverse.row(j), -l.row(i)[j], j + 1);
    }
  }

  void apply(Matrix q) {
    const index_t tasks = (q.rows + kRows - 1) / kRows;
    parallel_for(tasks, threads_, [&](index_t t, index_t worker) {
      const auto [first, count] = part_of(q.rows, t, tasks);
      apply_to_rows(q.slice(first, count), shares_.data() + worker * 2 * kRows * kStride);
    });
  }

  // Some rows of q: their products with every v, what share of every v that takes away.
  void apply_to_rows(Matrix q, double* memory) {
    const Matrix products{memory, q.rows, u_.rows, kStride};
    const Matrix shares{memory + kRows * kStride, q.rows, u_.rows, kStride};
    multiply_by_vectors(products, q);
    k_.multiply(shares, as_it_is<double>(products), u_.rows, plain(inverse_.data(), kStride),
                nullptr, false);
    for (index_t j = 0; j < q.cols; j += kColumns) {
      if (requested(interrupt_)) return;
      const Matrix part = q.columns(j, std::min(kColumns, q.cols - j));
      k_.multiply(part, as_it_is<double>(shares), u_.rows, plain(u_.data + j, stride_), nullptr,
                  true);
    }
  }

  // products = rows U^T, both as wide as U.
  void multiply_by_vectors(Matrix products, Matrix rows) {
    const index_t width = k_.panel_width;
    for (index_t j = 0; j < rows.cols; j += kColumns) {
      if (requested(interrupt_)) return;
      const Matrix part = rows.columns(j, std::min(kColumns, rows.cols - j));
      const Panels<double> panels{panels_.data() + j * width, width, width * rows.cols};
      k_.multiply(products, as_it_is<double>(part), part.cols, panels, nullptr, j > 0);
    }
  }

  Panels<double> plain(const double* data, index_t stride) const {
    return {data, stride, k_.panel_width};
  }

  const Kernels<double>& k_ = kernels<double>();
  const int threads_ = num_threads();
  const Matrix q_;
  const Random random_;
  Interrupt* const interrupt_;
  const index_t stride_ = padded_stride<double>(q_.cols);
  Buffer<double> vectors_{kBlock * stride_};
  Buffer<double> panels_{kBlock * q_.cols};
  Buffer<double> products_{kBlock * kStride};
  Buffer<double> inverse_{kBlock * kStride};
  Buffer<double> shares_{threads_ * 2 * kRows * kStride};
  Matrix u_;
};

// w = q, or its transpose: rows of both are read and written in pieces.
template <class T>
void write(MatrixView<T> w, ConstMatrixView<double> q, bool transposed, Interrupt* interrupt) {
  constexpr index_t kPiece = 16;
  for (index_t first = 0; first < w.cols; first += kPiece) {
    if (requested(interrupt)) return;
    const index_t end = std::min(first + kPiece, w.cols);
    for (index_t i = 0; i < w.rows; ++i) {
      for (index_t j = first; j < end; ++j) {
        w.row(i)[j] = static_cast<T>(transposed ? q.row(j)[i] : q.row(i)[j]);
      }
    }
  }
}

}  // namespace

template <class T>
void fill_orthogonal(MatrixView<T> w, const Random& random, Interrupt* interrupt) {
  const index_t rows = std::min(w.rows, w.cols);
  const index_t cols = std::max(w.rows, w.cols);
  const index_t stride = padded_stride<double>(cols);
  Buffer<double> memory(rows * stride);
  const MatrixView<double> q{memory.data(), rows, cols, stride};
  if (rows <= kFewRows) {
    gram_schmidt(q, random, interrupt);
  } else {
    Reflections(q, random, interrupt).multiply();
  }
  write<T>(w, q, w.rows > w.cols, interrupt);
}

template void fill_orthogonal(MatrixView<float>, const Random&, Interrupt*);
template void fill_orthogonal(MatrixView<double>, const Random&, Interrupt*);

}  // namespace pymlp
