// Columns of numbers: every number x becomes (x, E(x) W + c), with W (size, width - 1) and
// c (width - 1,) of its column. E(x) are features of x, `size` of them:
//
// - periodic: cos(2 pi w x + b), w and b of the column. Holzmueller et al., arXiv:2407.04491;
// - piecewise linear: ramps between boundaries (ops/ramps.hpp). Gorishniy et al., arXiv:2203.05556.
//
// A chunk of rows is computed with samples as lanes: features E (size, rows), their slopes S, and
// in the place of a row of the output a column. All else are products: z = W^T E, D = W dz, and
// sums over rows: dW = E dz^T, dc = sum dz. With T = D S, of ramps dx = dx' + sum T, and of waves
// dx = dx' + 2 pi w^T T, db = sum T, dw = 2 pi sum T x.
#pragma once

#include <algorithm>
#include <numbers>

#include "kernels/table.hpp"
#include "ops/embedded_columns.hpp"
#include "ops/ramps.hpp"

namespace pymlp {

template <class T>
class NumberEmbedding {
 public:
  NumberEmbedding(const EmbeddedColumns& of, const T* parameters)
      : of_(of), parameters_(parameters), n_(of.width - 1) {}

  // The outputs (m, width) of column `c` of these, from its inputs (m, 1).
  void forward(index_t c, MatrixView<T> y, ConstMatrixView<T> x) {
    for (Chunk chunk; more(chunk, x, of_.size);) {
      const auto [rows, columns] = chunk;
      const MatrixView<T> found = features(c, {0, of_.size}, columns, false);
      const MatrixView<T> lanes(work_, of_.width, columns, columns);
      std::copy_n(x_, columns, lanes.data);
      kernels<T>().lane_product(lanes.slice(1, n_), transposed_weights(c), found,
                                weights(c) + of_.size * n_);
      kernels<T>().from_lanes(y.slice(rows.first, rows.count), lanes);
    }
  }

  // The gradient by the inputs (m, 1), from that by the outputs.
  void backward(index_t c, MatrixView<T> dx, ConstMatrixView<T> dy, ConstMatrixView<T> x) {
    for (Chunk chunk; more(chunk, x, of_.size);) {
      const auto [rows, columns] = chunk;
      const MatrixView<T> slopes = slopes_of(c, {0, of_.size}, columns, dy, rows);
      const MatrixView<T> through{work_, 1, columns, columns};
      const T one = 1;
      const bool waves = of_.waves() > 0;
      const Strided<T> ones{&one, 0, 0};
      kernels<T>().lane_product(through, waves ? Strided<T>{row(c), of_.size, 1} : ones, slopes,
                                nullptr);
      for (index_t i = 0; i < rows.count; ++i) {
        dx.row(rows.first + i)[0] = dy_[i] + (waves ? kTurn : one) * through.data[i];
      }
    }
  }

  // That by the column's parameters, from all rows.
  void gradient(index_t c, T* gradient, ConstMatrixView<T> dy, ConstMatrixView<T> x,
                bool accumulate) {
    const index_t most = (kSums - n_) / (n_ + 2);
    for (index_t first = 0; first < of_.size; first += most) {
      const Range some{first, std::min(most, of_.size - first)};
      sum(c, some, dy, x);
      put(gradient + of_.waves() + some.first * n_, folded_, some.count * n_, accumulate);
      const T* folded = folded_ + some.count * n_;
      if (first == 0) put(gradient + of_.waves() + of_.size * n_, folded, n_, accumulate);
      if (of_.waves() == 0) continue;
      folded += n_;
      put(gradient + first, folded, some.count, accumulate);
      put(gradient + of_.size + first, folded + some.count, some.count, accumulate);
    }
  }

 private:
  struct Chunk {
    Range rows{0, 0};
    index_t columns = 0;  // rows, to whole lanes
  };

  static constexpr index_t kLanes = 16;
  static constexpr index_t kNumbers = 2048;  // of a matrix in lanes
  static constexpr index_t kSums = 272;
  static constexpr T kTurn = static_cast<T>(2.0 * std::numbers::pi);
  static_assert(kNumbers / kLanes >= EmbeddedColumns::most_features);
  static_assert(kNumbers / kLanes >= EmbeddedColumns::most_width);
  static_assert(kSums >= 2 * EmbeddedColumns::most_width + 1);

  const T* row(index_t c) const { return parameters_ + of_.first_number_of(of_.first_row + c); }
  const T* weights(index_t c) const { return row(c) + of_.waves(); }
  Strided<T> transposed_weights(index_t c) const { return {weights(c), 1, n_}; }

  // Takes the next rows, as many as so many features have room for; lanes behind the last row
  // repeat it.
  [[gnu::noinline]] bool more(Chunk& chunk, ConstMatrixView<T> x, index_t features) {
    const index_t most = kNumbers / std::max({features, of_.width, kLanes}) / kLanes * kLanes;
    const index_t first = chunk.rows.end(), count = std::min(most, x.rows - first);
    if (count <= 0) return false;
    chunk = {{first, count}, (count + kLanes - 1) / kLanes * kLanes};
    kernels<T>().to_lanes({x_, 1, chunk.columns, chunk.columns}, x, nullptr, first, count);
    return true;
  }

  // Some features of the chunk; with `slopes` these beside them.
  [[gnu::noinline]] MatrixView<T> features(index_t c, Range some, index_t columns, bool slopes) {
    const MatrixView<T> found{features_, some.count, columns, columns};
    if (of_.waves() == 0) {
      for (index_t t = 0; t < some.count; ++t) {
        const Ramp<T> of = ramp_of(some.first + t);
        ramp(of, found.row(t), x_, columns);
        if (slopes) ramp_slopes(of, slopes_ + t * columns, x_, columns);
      }
    } else {
      const T* frequencies = row(c) + some.first;
      kernels<T>().waves(found, {slopes ? slopes_ : nullptr, some.count, columns, columns}, x_,
                         frequencies, frequencies + of_.size);
    }
    return found;
  }

  Ramp<T> ramp_of(index_t t) const {
    const double* boundaries = of_.constants.data() + t;
    return {static_cast<T>(boundaries[0]), static_cast<T>(boundaries[1]), t == 0,
            t + 1 == of_.size};
  }

  // dy (width, columns) of the chunk; behind the last row 0.
  ConstMatrixView<T> gradient_in_lanes(index_t columns, ConstMatrixView<T> dy, Range rows) {
    const MatrixView<T> gradient{dy_, of_.width, columns, columns};
    kernels<T>().to_lanes(gradient, dy, nullptr, rows.first, rows.count);
    for (index_t j = 0; j < of_.width; ++j) {
      std::fill(gradient.row(j) + rows.count, gradient.row(j) + columns, T(0));
    }
    return gradient;
  }

  // T, of some features; these and the rows of dy lie beside it.
  MatrixView<T> slopes_of(index_t c, Range some, index_t columns, ConstMatrixView<T> dy,
                          Range rows) {
    features(c, some, columns, true);
    const ConstMatrixView<T> dz = gradient_in_lanes(columns, dy, rows).slice(1, n_);
    const MatrixView<T> slopes{slopes_, some.count, columns, columns};
    const MatrixView<T> by_features{work_, some.count, columns, columns};
    kernels<T>().lane_product(by_features, {weights(c) + some.first * n_, n_, 1}, dz, nullptr);
    kernels<T>().multiply_elements(slopes, slopes, by_features);
    return slopes;
  }

  // Sums over all rows in 16 lanes, which are folded at last: dW (some, n), dc (n,), and of some
  // waves dw and db.
  void sum(index_t c, Range some, ConstMatrixView<T> dy, ConstMatrixView<T> x) {
    bool begun = false;
    const bool waves = of_.waves() > 0;
    for (Chunk chunk; more(chunk, x, some.count);) {
      const auto [rows, columns] = chunk;
      if (waves) {
        slopes_of(c, some, columns, dy, rows);
      } else {
        features(c, some, columns, false);
        gradient_in_lanes(columns, dy, rows);
      }
      const ConstMatrixView<T> found(features_, some.count, columns, columns);
      const ConstMatrixView<T> dz(dy_ + columns, n_, columns, columns);
      kernels<T>().lane_sums(sums_, found, dz, true, begun);
      if (waves) sum_slopes(some.count, columns, begun);
      begun = true;
    }
    kernels<T>().fold_lanes(folded_, sums_, (some.count + 1) * n_ + (waves ? 2 * some.count : 0));
    T* const by_frequencies = folded_ + (some.count + 1) * n_;
    for (index_t i = 0; waves && i < some.count; ++i) by_frequencies[i] *= kTurn;
  }

  // Of T x and T: a row of x and one of ones, in the place of what is summed up already.
  void sum_slopes(index_t count, index_t columns, bool begun) {
    std::copy_n(x_, columns, work_);
    std::fill_n(work_ + columns, columns, T(1));
    kernels<T>().lane_sums(sums_ + (count + 1) * n_ * kLanes, {work_, 2, columns, columns},
                           {slopes_, count, columns, columns}, false, begun);
  }

  [[gnu::noinline]] static void put(T* to, const T* from, index_t count, bool accumulate) {
    for (index_t i = 0; i < count; ++i) to[i] = accumulate ? to[i] + from[i] : from[i];
  }

  const EmbeddedColumns& of_;
  const T* parameters_;
  index_t n_;
  alignas(64) T x_[kNumbers / kLanes];
  alignas(64) T dy_[kNumbers];
  alignas(64) T features_[kNumbers];
  alignas(64) T slopes_[kNumbers];
  alignas(64) T work_[kNumbers];
  alignas(64) T sums_[kSums * kLanes];
  alignas(64) T folded_[kSums];
};

}  // namespace pymlp
