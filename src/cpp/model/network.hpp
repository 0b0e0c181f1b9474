// Network: a program, the arena of its parameters, and who may read and write them.
#pragma once

#include <cstdint>

#include "base/buffer.hpp"
#include "kernels/initializer.hpp"
#include "model/access.hpp"
#include "model/program.hpp"
#include "model/workspace.hpp"
#include "ops/packed_weights.hpp"

namespace pymlp {

template <class T>
class Network {
 public:
  explicit Network(Program program)
      : program_(std::move(program)),
        parameters_(program_.n_parameters()),
        outputs_alone_(place<T>(program_, Keep::outputs)) {}

  const Program& program() const { return program_; }
  // Where the buffers of a prediction lie.
  const Placement& outputs_alone() const { return outputs_alone_; }
  T* parameters() { return parameters_.data(); }
  const T* parameters() const { return parameters_.data(); }

  // Each layer draws from a stream of its own, so a layer's weights do not depend on the others'.
  void initialize(const Initializer& initializer, std::uint64_t seed,
                  Interrupt* interrupt = nullptr) {
    for (index_t l = 0; l < program_.n_layers(); ++l) {
      Random random(seed, static_cast<std::uint64_t>(l));
      pymlp::initialize(weights_of(program_.dense(l), parameters()), initializer,
                        program_.activation(l).activation, random, interrupt);
    }
  }

  Access& access() { return access_; }

 private:
  Program program_;
  Buffer<T> parameters_;
  Placement outputs_alone_;
  Access access_;
};

}  // namespace pymlp
