#include "model/program.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "ops/table.hpp"

namespace pymlp {

namespace {

void check_arguments(const std::vector<index_t>& widths, std::size_t activations,
                     const std::vector<double>& dropout) {
  check(widths.size() >= 2, "widths must name at least 2 layers, not ", widths.size());
  check(activations + 1 == widths.size(), "activations must be ", widths.size() - 1,
        ", one for each layer behind the input, not ", activations);
  check(dropout.size() + 2 == widths.size(), "dropout must be ", widths.size() - 2,
        ", one for each hidden layer, not ", dropout.size());
  for (const double rate : dropout) {
    check(rate >= 0.0 && rate < 1.0, "dropout must be in [0, 1), not ", rate);
  }
  for (const index_t width : widths) {
    check(width >= 1 && width <= 0x7fffffff, "widths must be from 1 to 2147483647, not ", width);
  }
}

}  // namespace

Program::Program(const std::vector<index_t>& widths, const std::vector<Activation>& activations,
                 bool has_biases, const std::vector<double>& dropout) {
  check_arguments(widths, activations.size(), dropout);
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const auto layer = static_cast<index_t>(l);
    const auto [n_in, n_out] = std::pair(widths[l], widths[l + 1]);
    dense_.push_back(n_operations());
    append({.kind = OperationKind::dense,
            .layer = layer,
            .n_in = n_in,
            .n_out = n_out,
            .has_biases = has_biases});
    append({.kind = OperationKind::activation,
            .layer = layer,
            .n_in = n_out,
            .n_out = n_out,
            .activation = activations[l]});
    if (l < dropout.size() && dropout[l] > 0.0) {
      append({.kind = OperationKind::dropout,
              .layer = layer,
              .n_in = n_out,
              .n_out = n_out,
              .rate = dropout[l]});
    }
    numbers_of_a_sample_ += 2 * n_out;
  }
  numbers_of_a_sample_ += n_inputs();
}

// Reads what the operation before it wrote.
void Program::append(Operation op) {
  op.input = n_operations();
  op.output = op.input + 1;
  op.first_parameter = n_parameters_;
  const OperationTraits& traits = traits_of(op);
  const index_t parameters = traits.n_parameters(op);
  check(parameters < kLargestArena - n_parameters_, "widths describe too large a network");
  n_parameters_ += parameters;
  forward_operations_ += traits.operations(op);
  has_user_functions_ = has_user_functions_ || op.activation.custom != nullptr;
  has_dropout_ = has_dropout_ || op.kind == OperationKind::dropout;
  operations_.push_back(op);
}

index_t Program::widest() const {
  index_t widest = n_inputs();
  for (const Operation& op : operations_) widest = std::max(widest, op.n_out);
  return widest;
}

}  // namespace pymlp
