// Network: a program, the arena of its parameters, and who may read and write them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/buffer.hpp"
#include "kernels/initializer.hpp"
#include "model/access.hpp"
#include "model/program.hpp"
#include "model/sample_lanes.hpp"
#include "model/workspace.hpp"
#include "ops/packed_weights.hpp"

namespace pymlp {

template <class T>
class Network {
 public:
  explicit Network(Program program)
      : program_(std::move(program)),
        arena_(program_.arena_size()),
        outputs_alone_(place<T>(program_, Keep::outputs)),
        lanes_(program_) {}

  const Program& program() const { return program_; }
  // Where the buffers of a prediction lie.
  const Placement& outputs_alone() const { return outputs_alone_; }
  // A prediction with samples as lanes.
  const SampleLanes<T>& lanes() const { return lanes_; }
  // And behind them the states.
  T* parameters() { return arena_.data(); }
  const T* parameters() const { return arena_.data(); }

  // Each layer draws from a stream of its own, so a layer's weights do not depend on the others'.
  void initialize(const Initializer& initializer, std::uint64_t seed,
                  Interrupt* interrupt = nullptr) {
    for (index_t l = 0; l < program_.n_layers(); ++l) {
      Random random(seed, static_cast<std::uint64_t>(l));
      pymlp::initialize(weights_of(program_.dense(l), parameters()), initializer,
                        program_.function(l), random, interrupt);
    }
    begin(program_.tensors());
    begin(program_.states());
  }

  Access& access() { return access_; }

 private:
  // What is not drawn.
  void begin(const Tensors& tensors) {
    for (const Tensor& tensor : tensors) {
      if (tensor.kind == TensorKind::weights) continue;
      std::fill_n(parameters() + tensor.first, tensor.size(), static_cast<T>(tensor.initial));
    }
  }

  Program program_;
  Buffer<T> arena_;
  Placement outputs_alone_;
  SampleLanes<T> lanes_;
  Access access_;
};

}  // namespace pymlp
