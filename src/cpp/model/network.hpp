// Network: a program, the arena of its parameters, and who may read and write them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

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
    draw_embedding(seed, interrupt);
  }

  Access& access() { return access_; }

 private:
  static constexpr std::uint64_t kColumnsStream = std::uint64_t{1} << 34;  // apart from layers'

  // What is not drawn.
  void begin(const Tensors& tensors) {
    for (const Tensor& tensor : tensors) {
      if (tensor.kind == TensorKind::weights || tensor.draw != Draw::none) continue;
      std::fill_n(parameters() + tensor.first, tensor.size(), static_cast<T>(tensor.initial));
    }
  }

  // Each column from a stream of its own too; its tensors follow each other.
  void draw_embedding(std::uint64_t seed, Interrupt* interrupt) {
    index_t column = -1;
    Random random(seed, kColumnsStream);
    for (const Tensor& tensor : program_.tensors()) {
      if (tensor.draw == Draw::none) continue;
      if (std::exchange(column, tensor.column) != tensor.column) {
        random = Random(seed, kColumnsStream + static_cast<std::uint64_t>(column));
      }
      const bool normal = tensor.draw == Draw::normal;
      pymlp::initialize(
          MatrixView<T>{parameters() + tensor.first, 1, tensor.size(), tensor.size()},
          {normal ? InitializerKind::normal : InitializerKind::uniform, tensor.initial}, {}, random,
          interrupt);
    }
  }

  Program program_;
  Buffer<T> arena_;
  Placement outputs_alone_;
  SampleLanes<T> lanes_;
  Access access_;
};

}  // namespace pymlp
