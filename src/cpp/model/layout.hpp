// Layout: the layers of a network and where each one's parameters lie in an arena. Parameters,
// gradients and every state of an optimiser are arenas of one layout.
#pragma once

#include <vector>

#include "base/view.hpp"
#include "kernels/activation.hpp"

namespace pymlp {

struct Layer {
  index_t n_in;
  index_t n_out;
  Activation activation;
  bool has_biases;
  double dropout;          // the share of units left out in training
  index_t weights_offset;  // n_in * n_out numbers, row-major
  index_t biases_offset;   // n_out numbers, right behind

  index_t weights_size() const { return n_in * n_out; }
};

class Layout {
 public:
  // widths: input first; one activation for each layer behind it, one dropout for each hidden
  // layer.
  Layout(const std::vector<index_t>& widths, const std::vector<Activation>& activations,
         bool has_biases, const std::vector<double>& dropout);

  const std::vector<Layer>& layers() const { return layers_; }
  index_t n_layers() const { return static_cast<index_t>(layers_.size()); }
  const Layer& layer(index_t l) const { return layers_[static_cast<std::size_t>(l)]; }
  index_t n_inputs() const { return layers_.front().n_in; }
  index_t n_outputs() const { return layers_.back().n_out; }
  index_t n_parameters() const { return n_parameters_; }
  index_t widest() const { return widest_; }
  const Activation& output() const { return layers_.back().activation; }
  // Somebody else's functions are called on the caller's thread only.
  bool has_custom() const { return has_custom_; }

  template <class T>
  MatrixView<T> weights(T* arena, index_t l) const {
    return {arena + layer(l).weights_offset, layer(l).n_in, layer(l).n_out, layer(l).n_out};
  }
  template <class T>
  ConstMatrixView<T> weights(const T* arena, index_t l) const {
    return {arena + layer(l).weights_offset, layer(l).n_in, layer(l).n_out, layer(l).n_out};
  }
  // Null where the layer has none.
  template <class T>
  T* biases(T* arena, index_t l) const {
    return layer(l).has_biases ? arena + layer(l).biases_offset : nullptr;
  }

  // What training holds of one sample: its inputs, and a and dz of every layer.
  index_t numbers_of_a_sample() const { return numbers_of_a_sample_; }

  // Of a forward pass of one sample, an activation counted as what it costs beside a product.
  double forward_operations() const { return forward_operations_; }

 private:
  std::vector<Layer> layers_;
  index_t n_parameters_ = 0;
  index_t widest_ = 0;
  index_t numbers_of_a_sample_ = 0;
  double forward_operations_ = 0.0;
  bool has_custom_ = false;
};

}  // namespace pymlp
