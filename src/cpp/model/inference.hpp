// Inference: outputs only, a tile of rows at a time, so that what lies between stays in the cache.
#pragma once

#include "model/layout.hpp"

namespace pymlp {

// y (m, n_out) = the network's outputs for x (m, n_in).
template <class T>
void predict(const Layout& layout, const T* parameters, ConstMatrixView<T> x, MatrixView<T> y,
             int threads);

}  // namespace pymlp
