// Predict: outputs only, a block of rows at a time, so that the values of hidden layers stay in the
// cache.
#pragma once

#include "model/network.hpp"

namespace pymlp {

// A network as somebody reads it: its parameters in place, or a copy of them. Where an interrupt
// comes, what is computed from it is left unfinished.
template <class T>
struct Reading {
  const Network<T>& network;
  const T* parameters;
  Interrupt* interrupt = nullptr;
  Arithmetic arithmetic = Arithmetic::exact;
};

template <class T>
Reading<T> in_place(const Network<T>& network) {
  return {network, network.parameters()};
}

// y (m, n_out) = the network's outputs for x (m, n_in).
template <class T>
void predict(const Reading<T>& reading, ConstMatrixView<T> x, MatrixView<T> y, int threads);

// y (m, n) = what the first product of a network with an embedding reads.
template <class T>
void embed(const Reading<T>& reading, ConstMatrixView<T> x, MatrixView<T> y, int threads);

// z[l] and a[l] (m, n_out) of every layer.
template <class T>
void trace(const Reading<T>& reading, ConstMatrixView<T> x, const std::vector<MatrixView<T>>& z,
           const std::vector<MatrixView<T>>& a, int threads);

}  // namespace pymlp
