// Program: what a network computes: a list of operations over numbered buffers, each with its
// stretch of the parameter arena. Parameters, gradients and every state of an optimiser are arenas
// of one program.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ops/embedded_columns.hpp"
#include "ops/operation.hpp"
#include "ops/tensor.hpp"

namespace pymlp {

enum class Norm { none, layer, rms, batch };
inline constexpr std::string_view kNorms[] = {"none", "layer", "rms", "batch"};

// What a network is, as Python says it too.
struct Architecture {
  std::vector<index_t> widths;          // input first
  std::vector<Activation> activations;  // one for each layer behind it
  bool has_biases = true;
  std::vector<double> dropout{};  // one rate for each hidden layer
  bool residual = false;          // hidden layers as wide as their inputs add these
  double input_dropout = 0.0;
  Norm norm = Norm::none;     // of every hidden layer, before its activation
  bool scale_inputs = false;  // a learnable factor for each input
  // Of the activations, whether each is learnt for every unit; empty: none.
  std::vector<bool> parametric{};
  std::vector<ColumnEmbedding> embedding{};  // in the order of the inputs; empty: none
};

class Program {
 public:
  explicit Program(const Architecture& architecture);

  // The same, whose layers' parameters and states stand still where the flags say so. Their tensors
  // are still listed.
  Program frozen(const std::vector<bool>& layers) const;

  std::span<const Operation> operations() const { return operations_; }
  const Operation& operation(index_t i) const { return operations_[static_cast<std::size_t>(i)]; }
  index_t n_operations() const { return std::ssize(operations_); }
  index_t n_buffers() const { return n_operations() + 1; }

  // The parts of a layer: its dense operation, its activation, and its last operation.
  index_t n_layers() const { return std::ssize(layers_); }
  const Operation& dense(index_t l) const { return operation(layer(l).dense); }
  const Operation& activation(index_t l) const { return operation(layer(l).activation); }
  // What its activation is made of.
  const Activation& function(index_t l) const {
    const Operation& op = activation(l);
    return op.kind == OperationKind::parametric ? op.learnt : op.activation;
  }
  const Operation& last(index_t l) const { return operation(layer(l).last); }
  // The gradient of its output is that by z of its layer.
  bool gives_z(index_t i) const { return layer(operation(i).layer).activation == i + 1; }
  // The first operation whose parameters do not stand still: what lies before it needs no way back.
  index_t first_trained() const { return first_trained_; }

  // Null: the inputs are not embedded.
  const EmbeddedInputs* embedded() const { return embedded_.get(); }
  index_t n_inputs() const { return operations_.front().n_in; }
  index_t n_outputs() const { return operations_.back().n_out; }
  // The arena holds the parameters, in program order, and behind them the states.
  index_t n_parameters() const { return n_parameters_; }
  index_t arena_size() const { return n_parameters_ + n_states_; }
  const Tensors& tensors() const { return tensors_; }  // in the order of the arena
  const Tensors& states() const { return states_; }
  const Activation& output() const { return operations_.back().activation; }
  index_t widest() const;
  index_t sums_of_a_block() const { return sums_of_a_block_; }
  index_t sums_of_a_batch() const { return sums_of_a_batch_; }
  // User callbacks run on the caller's thread only.
  bool has_user_functions() const { return has_user_functions_; }
  bool has_dropout() const { return has_dropout_; }
  // Whether a step needs sums over the whole batch on its way.
  bool joins() const;

  // Of one row of a batch: what going forward costs, and the numbers that training holds (the
  // inputs, and a and dz of every layer). Cuts follow from them.
  double forward_operations() const { return forward_operations_; }
  index_t numbers_of_a_sample() const { return numbers_of_a_sample_; }

 private:
  struct Layer {
    index_t dense, activation, last;  // positions
  };

  const Layer& layer(index_t l) const { return layers_[static_cast<std::size_t>(l)]; }
  // The position of the operation.
  index_t append(Operation op);
  void append_embedding(Architecture& of);
  void append_inputs(const Architecture& of);
  void append_layer(const Architecture& of, std::size_t l);
  index_t append_dense(const Architecture& of, std::size_t l);
  index_t append_norm(const Architecture& of, std::size_t l);
  index_t append_activation(const Architecture& of, std::size_t l);
  void place_states();
  index_t first_with_parameters() const;  // that do not stand still

  std::shared_ptr<const EmbeddedInputs> embedded_;
  std::vector<Operation> operations_;
  std::vector<Layer> layers_;
  Tensors tensors_;
  Tensors states_;
  index_t n_parameters_ = 0;
  index_t n_states_ = 0;
  index_t sums_of_a_block_ = 0;
  index_t sums_of_a_batch_ = 0;
  index_t first_trained_ = 0;
  index_t numbers_of_a_sample_ = 0;
  double forward_operations_ = 0.0;
  bool has_user_functions_ = false;
  bool has_dropout_ = false;
};

}  // namespace pymlp
