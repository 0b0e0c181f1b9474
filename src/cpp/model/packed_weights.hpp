// Weights in the layouts that products read best, kept beside the parameters: transposed for going
// backward, and in panels where a matrix is so wide that its rows would compete in the cache. They
// follow the parameters where the optimiser has just changed these, instead of being made anew in
// every step.
#pragma once

#include <vector>

#include "base/buffer.hpp"
#include "kernels/product.hpp"
#include "model/blocks.hpp"

namespace pymlp {

template <class T>
class PackedWeights {
 public:
  // `first_transposed`: the first layer whose transpose is kept. The gradient of the inputs needs
  // that of layer 0, training does not.
  PackedWeights(const Layout& layout, index_t first_transposed);

  // The layer's weights: the arena's and what is packed of them.
  product::Weights<T> layer(const T* parameters, index_t l) const;
  // Takes over a block of parameters that changed; blocks may be taken over in parallel.
  void refresh(const T* parameters, const WeightBlock& block);

 private:
  static constexpr index_t kNone = -1;
  struct Offsets {
    index_t panels;
    index_t transposed;
  };

  const Layout& layout_;
  std::vector<Offsets> offsets_;
  Buffer<T> memory_;
};

}  // namespace pymlp
