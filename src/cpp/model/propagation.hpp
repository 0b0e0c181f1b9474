// Forward and backward through all layers, for a block of rows at a time.
//
// A batch is cut into blocks of rows by its size alone, never by the number of threads. A block
// goes through all layers, forward and back, without waiting for another one; only the gradients of
// the parameters sum over all samples, and these are cut into blocks of weight rows. So a step has
// two parallel phases, and its result is the same on any number of threads.
#pragma once

#include <optional>
#include <vector>

#include "kernels/loss.hpp"
#include "model/blocks.hpp"
#include "model/layout.hpp"
#include "model/packed_weights.hpp"
#include "model/workspace.hpp"

namespace pymlp {

// The draws of dropout in one step: every unit of every sample has its own, whoever computes it.
struct DropoutDraws {
  std::uint64_t seed;
  std::uint64_t step;
};

// One batch on its way through a network. Refers to what others own; costs nothing to make.
template <class T>
struct Propagation {
  const Layout& layout;
  const T* parameters;
  ConstMatrixView<T> x;
  const Traces<T>& traces;
  const PackedWeights<T>* packed = nullptr;  // going backward needs it
  std::optional<DropoutDraws> dropout = std::nullopt;

  // z[l] and a[l] of the rows; a of the last layer only where asked for.
  void forward(Range rows, bool output_activation) const;

  // Losses (m,) and dz of the last layer; scale (m,) holds each sample's share of the mean.
  void loss(const Loss& loss, const Targets<T>& targets, const T* scale, T* losses,
            Range rows) const;

  // dz of the last layer from its da, which stands where dz goes.
  void output_backward(Range rows) const;

  // dz of all layers before the last, and dx where it has data.
  void backward(MatrixView<T> dx, Range rows) const;

  // dw and db of one block of weight rows, summed over rows of the batch, into an arena.
  void parameter_gradient(T* gradient, const WeightBlock& block, Range rows) const;

 private:
  bool drops(index_t l) const { return dropout && layout.layer(l).dropout > 0.0; }
  product::Weights<T> weights(index_t l) const;
  ConstMatrixView<T> output(index_t l) const;
  void drop(MatrixView<T> to, ConstMatrixView<T> from, index_t l, Range rows) const;
};

}  // namespace pymlp
