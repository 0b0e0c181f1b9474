#include "model/program.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "ops/table.hpp"

namespace pymlp {

namespace {

void check_architecture(const Architecture& of) {
  const std::size_t n = of.widths.size();
  check(n >= 2, "widths must name at least 2 layers, not ", n);
  check(of.activations.size() + 1 == n, "activations must be ", n - 1,
        ", one for each layer behind the input, not ", of.activations.size());
  check(of.dropout.size() + 2 == n, "dropout must be ", n - 2, ", one for each hidden layer, not ",
        of.dropout.size());
  check(of.parametric.empty() || of.parametric.size() + 1 == n, "parametric must be ", n - 1,
        " flags, one for each layer behind the input, not ", of.parametric.size());
  for (std::size_t l = 0; l < of.parametric.size(); ++l) {
    check(!of.parametric[l] || is_element_wise(of.activations[l].kind),
          "a parametric activation must be element-wise and built in, not '",
          traits_of(of.activations[l].kind).name, "'");
  }
  for (const double rate : of.dropout) {
    check(rate >= 0.0 && rate < 1.0, "dropout must be in [0, 1), not ", rate);
  }
  check(of.input_dropout >= 0.0 && of.input_dropout < 1.0, "input_dropout must be in [0, 1), not ",
        of.input_dropout);
  for (const index_t width : of.widths) {
    check(width >= 1 && width <= 0x7fffffff, "widths must be from 1 to 2147483647, not ", width);
  }
}

bool has_residual(const Architecture& of, std::size_t l) {
  return of.residual && l < of.dropout.size() && of.widths[l] == of.widths[l + 1];
}

// Gives each its place behind `first`; returns their size.
index_t place(Tensors& tensors, const Operation& op, index_t first) {
  index_t size = 0;
  for (Tensor& tensor : tensors) {
    tensor.layer = op.layer;
    tensor.first = first + size;
    size += tensor.size();
  }
  return size;
}

void append(Tensors& to, const Tensors& tensors) {
  to.insert(to.end(), tensors.begin(), tensors.end());
}

}  // namespace

Program::Program(const Architecture& architecture) {
  check_architecture(architecture);
  Architecture rest = architecture;
  append_embedding(rest);
  append_inputs(rest);
  for (std::size_t l = 0; l + 1 < rest.widths.size(); ++l) append_layer(rest, l);
  numbers_of_a_sample_ += n_inputs();
  place_states();
  first_trained_ = first_with_parameters();
}

// What is left reads what the inputs become.
void Program::append_embedding(Architecture& of) {
  if (of.embedding.empty()) return;
  embedded_ = std::make_shared<const EmbeddedInputs>(of.widths.front(), of.embedding);
  append({.kind = OperationKind::embedding,
          .layer = 0,
          .n_in = of.widths.front(),
          .n_out = embedded_->n_out(),
          .embedded = embedded_.get()});
  of.widths.front() = embedded_->n_out();
  numbers_of_a_sample_ += 2 * of.widths.front();
}

// What stands before the first product.
void Program::append_inputs(const Architecture& of) {
  const index_t n = of.widths.front();
  if (of.input_dropout > 0.0) {
    append({.kind = OperationKind::dropout,
            .layer = 0,
            .n_in = n,
            .n_out = n,
            .rate = of.input_dropout,
            .of_inputs = true});
  }
  if (of.scale_inputs) {
    const bool feeds_residual = has_residual(of, 0);
    append({.kind = OperationKind::scale,
            .layer = 0,
            .n_in = n,
            .n_out = n,
            .feeds_residual = feeds_residual});
  }
}

void Program::append_layer(const Architecture& of, std::size_t l) {
  const auto layer = static_cast<index_t>(l);
  const index_t n = of.widths[l + 1];
  const bool hidden = l < of.dropout.size();
  const index_t received = n_operations();  // the buffer
  Layer parts{};
  parts.dense = append_dense(of, l);
  if (hidden && of.norm != Norm::none) append_norm(of, l);
  parts.last = parts.activation = append_activation(of, l);
  if (hidden && of.dropout[l] > 0.0) {
    parts.last = append({.kind = OperationKind::dropout,
                         .layer = layer,
                         .n_in = n,
                         .n_out = n,
                         .rate = of.dropout[l]});
  }
  if (has_residual(of, l)) {
    parts.last = append({.kind = OperationKind::residual,
                         .layer = layer,
                         .n_in = n,
                         .n_out = n,
                         .shortcut = received});
  }
  layers_.push_back(parts);
  numbers_of_a_sample_ += 2 * n;
}

index_t Program::append_dense(const Architecture& of, std::size_t l) {
  const bool scale = of.scale_inputs && l == 0;
  const bool residual = has_residual(of, l);
  return append({.kind = OperationKind::dense,
                 .layer = static_cast<index_t>(l),
                 .n_in = of.widths[l],
                 .n_out = of.widths[l + 1],
                 .has_biases = of.has_biases,
                 .gradient_begun = residual,
                 .has_scale = scale,
                 .unscaled = scale ? n_operations() - 1 : 0,
                 .feeds_residual = scale && residual,
                 .behind_embedding = l == 0 && embedded_ != nullptr});
}

index_t Program::append_norm(const Architecture& of, std::size_t l) {
  const bool by_rows = of.norm != Norm::batch;
  return append({.kind = by_rows ? OperationKind::row_norm : OperationKind::batch_norm,
                 .layer = static_cast<index_t>(l),
                 .n_in = of.widths[l + 1],
                 .n_out = of.widths[l + 1],
                 .is_centred = of.norm != Norm::rms});
}

index_t Program::append_activation(const Architecture& of, std::size_t l) {
  const index_t n = of.widths[l + 1];
  Operation op{
      .kind = OperationKind::activation, .layer = static_cast<index_t>(l), .n_in = n, .n_out = n};
  const bool parametric = l < of.parametric.size() && of.parametric[l];
  if (parametric) op.kind = OperationKind::parametric;
  (parametric ? op.learnt : op.activation) = of.activations[l];
  return append(op);
}

// Reads what the operation before it wrote.
index_t Program::append(Operation op) {
  op.input = n_operations();
  op.output = op.input + 1;
  const OperationTraits& traits = traits_of(op);
  Tensors tensors = traits.parameters(op);
  op.first_parameter = n_parameters_;
  op.n_parameters = place(tensors, op, n_parameters_);
  check(op.n_parameters < kLargestArena - n_parameters_, "widths describe too large a network");
  n_parameters_ += op.n_parameters;
  pymlp::append(tensors_, tensors);
  op.first_sum = sums_of_a_block_;
  sums_of_a_block_ += traits.sums_of_a_block(op);
  op.first_batch_sum = sums_of_a_batch_;
  sums_of_a_batch_ += traits.sums_of_a_batch(op);
  forward_operations_ += traits.operations(op);
  has_user_functions_ = has_user_functions_ || op.activation.custom != nullptr;
  has_dropout_ = has_dropout_ || op.kind == OperationKind::dropout;
  operations_.push_back(op);
  return op.input;
}

void Program::place_states() {
  for (Operation& op : operations_) {
    Tensors states = traits_of(op).states(op);
    op.first_state = arena_size();
    n_states_ += place(states, op, op.first_state);
    pymlp::append(states_, states);
  }
}

Program Program::frozen(const std::vector<bool>& layers) const {
  Program result = *this;
  const auto is_frozen = [&](const Operation& op) {
    return layers[static_cast<std::size_t>(op.layer)];
  };
  for (Operation& op : result.operations_) op.frozen = is_frozen(op);
  result.first_trained_ = result.first_with_parameters();
  return result;
}

index_t Program::first_with_parameters() const {
  const auto first = std::ranges::find_if(
      operations_, [](const Operation& op) { return op.n_parameters > 0 && !op.frozen; });
  return first - operations_.begin();
}

bool Program::joins() const {
  return std::ranges::any_of(operations_,
                             [](const Operation& op) { return traits_of(op).joins(op); });
}

index_t Program::widest() const {
  index_t widest = n_inputs();
  for (const Operation& op : operations_) widest = std::max(widest, op.n_out);
  return widest;
}

}  // namespace pymlp
