// Periodic columns: of every number x that is embedded, (x, cos(2 pi w x + b) W + c), with w and b
// (size,), W (size, width - 1) and c (width - 1,) of its column. Holzmueller et al.,
// arXiv:2407.04491.
//
// A chunk of rows is computed with samples as lanes: cosines C (size, rows), their slopes S, and in
// the place of a row of the output a column. All else are products: z = W^T C, dC = W dz, and sums
// over rows, with T = dC S: dW = C dz^T, db = sum T, dw = 2 pi sum T x, dx = dx' + 2 pi w^T T.
#pragma once

#include <algorithm>
#include <numbers>

#include "kernels/table.hpp"
#include "ops/embedded_columns.hpp"

namespace pymlp {

template <class T>
class Periodic {
 public:
  Periodic(const EmbeddedColumns& of, const T* parameters)
      : of_(of), parameters_(parameters), n_(of.width - 1) {}

  // The outputs (m, width) of column `c` of these, from its inputs (m, 1).
  void forward(index_t c, MatrixView<T> y, ConstMatrixView<T> x) {
    for_chunks(x, of_.size, [&](Range rows, index_t columns) {
      const MatrixView<T> cosines = waves(c, {0, of_.size}, columns, false);
      const MatrixView<T> lanes(work_, of_.width, columns, columns);
      std::copy_n(x_, columns, lanes.data);
      kernels<T>().lane_product(lanes.slice(1, n_), transposed_weights(c), cosines,
                                weights(c) + of_.size * n_);
      kernels<T>().from_lanes(y.slice(rows.first, rows.count), lanes);
    });
  }

  // The gradient by the inputs (m, 1), from that by the outputs.
  void backward(index_t c, MatrixView<T> dx, ConstMatrixView<T> dy, ConstMatrixView<T> x) {
    for_chunks(x, of_.size, [&](Range rows, index_t columns) {
      const MatrixView<T> slopes = slopes_of(c, {0, of_.size}, columns, dy, rows);
      const MatrixView<T> through{work_, 1, columns, columns};
      kernels<T>().lane_product(through, {frequencies(c), of_.size, 1}, slopes, nullptr);
      for (index_t i = 0; i < rows.count; ++i) {
        dx.row(rows.first + i)[0] = dy_[i] + kTurn * through.data[i];
      }
    });
  }

  // That by the column's parameters, from all rows.
  void gradient(index_t c, T* gradient, ConstMatrixView<T> dy, ConstMatrixView<T> x,
                bool accumulate) {
    const index_t most = (kSums - n_) / (n_ + 2);
    for (index_t first = 0; first < of_.size; first += most) {
      const Range some{first, std::min(most, of_.size - first)};
      sum(c, some, dy, x);
      const T* folded = folded_;
      for (index_t i = some.first; i < some.end(); ++i) {
        put(gradient + 2 * of_.size + i * n_, folded, n_, accumulate);
        folded += n_;
      }
      if (first == 0) put(gradient + 2 * of_.size + of_.size * n_, folded, n_, accumulate);
      folded = folded_ + (some.count + 1) * n_;
      for (index_t i = some.first; i < some.end(); ++i, folded += 2) {
        const T by_frequency = kTurn * folded[0];
        put(gradient + i, &by_frequency, 1, accumulate);
        put(gradient + of_.size + i, folded + 1, 1, accumulate);
      }
    }
  }

 private:
  static constexpr index_t kLanes = 16;
  static constexpr index_t kNumbers = 2048;  // of a matrix in lanes
  static constexpr index_t kSums = 272;
  static constexpr T kTurn = static_cast<T>(2.0 * std::numbers::pi);
  static_assert(kNumbers / kLanes >= EmbeddedColumns::most_frequencies);
  static_assert(kNumbers / kLanes >= EmbeddedColumns::most_width);
  static_assert(kSums >= 2 * EmbeddedColumns::most_width + 1);

  const T* row(index_t c) const { return parameters_ + of_.first_number_of(of_.first_row + c); }
  const T* frequencies(index_t c) const { return row(c); }
  const T* phases(index_t c) const { return row(c) + of_.size; }
  const T* weights(index_t c) const { return row(c) + 2 * of_.size; }
  Strided<T> transposed_weights(index_t c) const { return {weights(c), 1, n_}; }

  // body(rows, columns) for as many rows as so many frequencies have room for; lanes behind the
  // last row repeat it.
  template <class Body>
  void for_chunks(ConstMatrixView<T> x, index_t frequencies, Body&& body) {
    const index_t most = kNumbers / std::max({frequencies, of_.width, kLanes}) / kLanes * kLanes;
    for (index_t first = 0; first < x.rows; first += most) {
      const Range rows{first, std::min(most, x.rows - first)};
      const index_t columns = (rows.count + kLanes - 1) / kLanes * kLanes;
      kernels<T>().to_lanes({x_, 1, columns, columns}, x, nullptr, first, rows.count);
      body(rows, columns);
    }
  }

  MatrixView<T> waves(index_t c, Range some, index_t columns, bool slopes) {
    const MatrixView<T> cosines{cosines_, some.count, columns, columns};
    kernels<T>().waves(cosines, {slopes ? slopes_ : nullptr, some.count, columns, columns}, x_,
                       frequencies(c) + some.first, phases(c) + some.first);
    return cosines;
  }

  // T, of some frequencies; the cosines and the rows of dy lie beside it.
  MatrixView<T> slopes_of(index_t c, Range some, index_t columns, ConstMatrixView<T> dy,
                          Range rows) {
    waves(c, some, columns, true);
    const MatrixView<T> gradient{dy_, of_.width, columns, columns};
    kernels<T>().to_lanes(gradient, dy, nullptr, rows.first, rows.count);
    for (index_t j = 0; j < of_.width; ++j) {
      std::fill(gradient.row(j) + rows.count, gradient.row(j) + columns, T(0));
    }
    const MatrixView<T> slopes{slopes_, some.count, columns, columns};
    const MatrixView<T> by_cosines{work_, some.count, columns, columns};
    kernels<T>().lane_product(by_cosines, {weights(c) + some.first * n_, n_, 1},
                              gradient.slice(1, n_), nullptr);
    kernels<T>().multiply_elements(slopes, slopes, by_cosines);
    return slopes;
  }

  // Sums over all rows in 16 lanes, which are folded at last: of dW (some, n), dc (n,), and for
  // each of some frequencies of T x and T.
  void sum(index_t c, Range some, ConstMatrixView<T> dy, ConstMatrixView<T> x) {
    bool begun = false;
    T* const of_slopes = sums_ + (some.count + 1) * n_ * kLanes;
    for_chunks(x, some.count, [&](Range rows, index_t columns) {
      const MatrixView<T> slopes = slopes_of(c, some, columns, dy, rows);
      const ConstMatrixView<T> cosines(cosines_, some.count, columns, columns);
      const ConstMatrixView<T> dz(dy_ + columns, n_, columns, columns);
      kernels<T>().lane_sums(sums_, cosines, dz, true, begun);
      // One row of x, and one of ones, in the place of what is summed up already.
      std::copy_n(x_, columns, work_);
      std::fill_n(work_ + columns, columns, T(1));
      kernels<T>().lane_sums(of_slopes, slopes, {work_, 2, columns, columns}, false, begun);
      begun = true;
    });
    kernels<T>().fold_lanes(folded_, sums_, (some.count + 1) * n_ + 2 * some.count);
  }

  static void put(T* to, const T* from, index_t count, bool accumulate) {
    for (index_t i = 0; i < count; ++i) to[i] = accumulate ? to[i] + from[i] : from[i];
  }

  const EmbeddedColumns& of_;
  const T* parameters_;
  index_t n_;
  alignas(64) T x_[kNumbers / kLanes];
  alignas(64) T dy_[kNumbers];
  alignas(64) T cosines_[kNumbers];
  alignas(64) T slopes_[kNumbers];
  alignas(64) T work_[kNumbers];
  alignas(64) T sums_[kSums * kLanes];
  alignas(64) T folded_[kSums];
};

}  // namespace pymlp
