// The activation and the loss of a layer, whoever brings them: the tables' kernels, or somebody
// else's.
#pragma once

#include "kernels/table.hpp"

namespace pymlp {

template <class T>
void activate(MatrixView<T> a, ConstMatrixView<T> z, const Activation& g) {
  if (g.custom != nullptr) return g.custom->forward(a, z);
  kernels<T>().activation_forward(a, z, g);
}

template <class T>
void activate_backward(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> z,
                       ConstMatrixView<T> a, const Activation& g) {
  if (g.custom != nullptr) return g.custom->backward(dz, da, z);
  kernels<T>().activation_backward(dz, da, z, a, g);
}

// `z` and `a` are both the last layer's; a loss computed from logits reads z.
template <class T>
void loss_and_gradient(T* losses, MatrixView<T> gradient, ConstMatrixView<T> z,
                       ConstMatrixView<T> a, const Targets<T>& targets, const T* scale,
                       const Loss& loss, const Activation& output) {
  if (loss.custom != nullptr) return (*loss.custom)(losses, gradient, a, targets, scale);
  const bool from_logits = computed_from_logits(loss, output);
  kernels<T>().loss(losses, gradient, from_logits ? z : a, targets, scale, loss, from_logits);
}

}  // namespace pymlp
