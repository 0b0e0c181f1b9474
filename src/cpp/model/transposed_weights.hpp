// The transposed weights that the backward pass reads, kept beside the parameters: they change where
// the optimiser has just changed these, instead of being made anew in every step.
#pragma once

#include <vector>

#include "base/buffer.hpp"
#include "model/blocks.hpp"

namespace pymlp {

template <class T>
class TransposedWeights {
 public:
  // Of the layers from first_layer on: the first of all is needed for gradients of inputs only.
  TransposedWeights(const Layout& layout, index_t first_layer);

  const T* layer(index_t l) const { return memory_.data() + offset(l); }
  // Takes over a block of parameters that changed; blocks may be taken over in parallel.
  void refresh(const T* parameters, const WeightBlock& block);

 private:
  index_t offset(index_t l) const { return offsets_[static_cast<std::size_t>(l)]; }

  const Layout& layout_;
  index_t first_layer_;
  std::vector<index_t> offsets_;
  Buffer<T> memory_;
};

}  // namespace pymlp
