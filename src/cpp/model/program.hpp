// Program: what a network computes: a list of operations over numbered buffers, each with its
// stretch of the parameter arena. Parameters, gradients and every state of an optimiser are arenas
// of one program.
#pragma once

#include <span>
#include <vector>

#include "ops/operation.hpp"

namespace pymlp {

class Program {
 public:
  // widths: input first; one activation for each layer behind it, one dropout for each hidden
  // layer.
  Program(const std::vector<index_t>& widths, const std::vector<Activation>& activations,
          bool has_biases, const std::vector<double>& dropout);

  std::span<const Operation> operations() const { return operations_; }
  const Operation& operation(index_t i) const { return operations_[static_cast<std::size_t>(i)]; }
  index_t n_operations() const { return std::ssize(operations_); }
  index_t n_buffers() const { return n_operations() + 1; }

  // The parts of a layer: its dense operation, and the activation behind that.
  index_t n_layers() const { return std::ssize(dense_); }
  const Operation& dense(index_t l) const { return operation(dense_[static_cast<std::size_t>(l)]); }
  const Operation& activation(index_t l) const {
    return operation(dense_[static_cast<std::size_t>(l)] + 1);
  }

  index_t n_inputs() const { return operations_.front().n_in; }
  index_t n_outputs() const { return operations_.back().n_out; }
  index_t n_parameters() const { return n_parameters_; }
  const Activation& output() const { return operations_.back().activation; }
  index_t widest() const;
  // User callbacks run on the caller's thread only.
  bool has_user_functions() const { return has_user_functions_; }
  bool has_dropout() const { return has_dropout_; }

  // Of one row of a batch: what going forward costs, and the numbers that training holds (the
  // inputs, and a and dz of every layer). Cuts follow from them.
  double forward_operations() const { return forward_operations_; }
  index_t numbers_of_a_sample() const { return numbers_of_a_sample_; }

 private:
  void append(Operation op);

  std::vector<Operation> operations_;
  std::vector<index_t> dense_;  // positions, one for each layer
  index_t n_parameters_ = 0;
  index_t numbers_of_a_sample_ = 0;
  double forward_operations_ = 0.0;
  bool has_user_functions_ = false;
  bool has_dropout_ = false;
};

}  // namespace pymlp
