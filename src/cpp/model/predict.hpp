// Predict: outputs only, a block of rows at a time, so that the values of hidden layers stay in the
// cache.
#pragma once

#include "model/network.hpp"

namespace pymlp {

// y (m, n_out) = the network's outputs for x (m, n_in).
template <class T>
void predict(const Network<T>& network, ConstMatrixView<T> x, MatrixView<T> y, int threads);

// z[l] and a[l] (m, n_out) of every layer.
template <class T>
void trace(const Network<T>& network, ConstMatrixView<T> x, const std::vector<MatrixView<T>>& z,
           const std::vector<MatrixView<T>>& a, int threads);

}  // namespace pymlp
