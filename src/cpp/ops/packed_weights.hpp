// Weights as the backward pass reads them, transposed and in panels, in addition to the parameters.
// They are refreshed stretch by stretch where the optimiser has just written, not packed anew in
// every step.
#pragma once

#include <span>
#include <vector>

#include "base/buffer.hpp"
#include "kernels/product.hpp"
#include "ops/operation.hpp"

namespace pymlp {

// A dense operation's parameters in an arena: weights (n_in, n_out), biases (n_out,) or null.
// Factors of its inputs, where it has any, lie before them.
inline index_t first_weight(const Operation& op) {
  return op.first_parameter + (op.has_scale ? op.n_in : 0);
}
inline Range weight_range(const Operation& op, Range rows) {
  return {first_weight(op) + rows.first * op.n_out, rows.count * op.n_out};
}
template <class T>
MatrixView<T> weights_of(const Operation& op, T* arena) {
  return {arena + first_weight(op), op.n_in, op.n_out, op.n_out};
}
template <class T>
ConstMatrixView<T> weights_of(const Operation& op, const T* arena) {
  return {arena + first_weight(op), op.n_in, op.n_out, op.n_out};
}
template <class T>
T* biases_of(const Operation& op, T* arena) {
  return op.has_biases ? arena + first_weight(op) + op.n_in * op.n_out : nullptr;
}

template <class T>
class PackedWeights {
 public:
  // The way back through the operations from `first_back` on needs transposed weights.
  PackedWeights(std::span<const Operation> operations, index_t first_back, Arithmetic arithmetic);

  // An operation's weights: the arena's and what is packed of them.
  product::Weights<T> of(const Operation& op, const T* parameters) const;
  index_t size() const { return memory_.size(); }
  // Packs parameters that changed; stretches may be packed in parallel.
  void refresh(const T* parameters, const Stretch& stretch);
  // Packs all of them.
  void refresh(const T* parameters, int threads);

 private:
  static constexpr index_t kNone = -1;

  std::span<const Operation> operations_;
  std::vector<index_t> offsets_;    // of each layer, its transpose's
  std::vector<Stretch> stretches_;  // in which all are packed
  Buffer<T> memory_;
};

}  // namespace pymlp
