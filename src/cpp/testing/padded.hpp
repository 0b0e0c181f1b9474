// Copies of the user's matrices laid out as a network's own, for calling single kernels: products
// read whole vectors, and the memory behind a NumPy array may not be readable.
#pragma once

#include <algorithm>

#include "base/buffer.hpp"
#include "kernels/panels.hpp"

namespace pymlp::testing {

template <class T>
class Padded {
 public:
  Padded(index_t rows, index_t cols, index_t stride)
      : memory_(rows * stride), rows_(rows), cols_(cols), stride_(stride) {}

  // As a network holds activations.
  static Padded matrix(ConstMatrixView<T> m) { return copy(m, padded_stride<T>(m.cols)); }
  // As an arena holds weights: without gaps.
  static Padded weights(ConstMatrixView<T> m) { return copy(m, m.cols); }

  MatrixView<T> view() { return {memory_.data(), rows_, cols_, stride_}; }

  void copy_to(MatrixView<T> to) {
    for (index_t i = 0; i < rows_; ++i) std::copy_n(view().row(i), cols_, to.row(i));
  }

 private:
  static Padded copy(ConstMatrixView<T> from, index_t stride) {
    Padded result(from.rows, from.cols, stride);
    for (index_t i = 0; i < from.rows; ++i) {
      std::copy_n(from.row(i), from.cols, result.view().row(i));
    }
    return result;
  }

  Buffer<T> memory_;
  index_t rows_;
  index_t cols_;
  index_t stride_;
};

}  // namespace pymlp::testing
