// Copies a matrix into another of the same size.
#pragma once

#include <algorithm>

#include "base/view.hpp"

namespace pymlp {

template <class T>
void copy_rows(MatrixView<T> to, ConstMatrixView<T> from) {
  for (index_t i = 0; i < to.rows; ++i) std::copy_n(from.row(i), to.cols, to.row(i));
}

}  // namespace pymlp
