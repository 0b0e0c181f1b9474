// Network: a layout, the arena of its parameters, and the lock that guards them.
#pragma once

#include <atomic>
#include <cstdint>
#include <shared_mutex>

#include "base/buffer.hpp"
#include "kernels/initializer.hpp"
#include "model/layout.hpp"

namespace pymlp {

template <class T>
class Network {
 public:
  explicit Network(Layout layout)
      : layout_(std::move(layout)), parameters_(layout_.n_parameters()) {}

  const Layout& layout() const { return layout_; }
  T* parameters() { return parameters_.data(); }
  const T* parameters() const { return parameters_.data(); }
  MatrixView<T> weights(index_t l) { return layout_.weights(parameters_.data(), l); }
  ConstMatrixView<T> weights(index_t l) const { return layout_.weights(parameters_.data(), l); }
  const T* biases(index_t l) const { return layout_.biases(parameters_.data(), l); }

  // Each layer draws from a stream of its own, so a layer's weights do not depend on the others'.
  void initialize(const Initializer& initializer, std::uint64_t seed) {
    for (index_t l = 0; l < layout_.n_layers(); ++l) {
      Random random(seed, static_cast<std::uint64_t>(l));
      pymlp::initialize(weights(l), initializer, layout_.layer(l).activation, random);
    }
  }

  // Shared by readers (predict, gradients), exclusive while a step writes. Never wait for it with
  // the GIL held.
  std::shared_mutex& mutex() const { return mutex_; }

 private:
  Layout layout_;
  Buffer<T> parameters_;
  mutable std::shared_mutex mutex_;
};

}  // namespace pymlp
