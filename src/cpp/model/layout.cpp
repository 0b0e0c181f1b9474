#include "model/layout.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace pymlp {

namespace {

// Far beyond any memory, and far below where products of sizes overflow.
constexpr index_t kLargestArena = index_t{1} << 42;

}  // namespace

Layout::Layout(const std::vector<index_t>& widths, const std::vector<Activation>& activations,
               bool has_biases, const std::vector<double>& dropout) {
  check(widths.size() >= 2, "widths must name at least 2 layers, not ", widths.size());
  check(activations.size() + 1 == widths.size(), "activations must be ", widths.size() - 1,
        ", one for each layer behind the input, not ", activations.size());
  check(dropout.size() + 2 == widths.size(), "dropout must be ", widths.size() - 2,
        ", one for each hidden layer, not ", dropout.size());
  for (const double rate : dropout) {
    check(rate >= 0.0 && rate < 1.0, "dropout must be in [0, 1), not ", rate);
  }
  for (const index_t width : widths) {
    check(width >= 1 && width <= 0x7fffffff, "widths must be from 1 to 2147483647, not ", width);
  }
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const index_t weights = widths[l] * widths[l + 1];
    const index_t biases = has_biases ? widths[l + 1] : 0;
    const double rate = l < dropout.size() ? dropout[l] : 0.0;
    layers_.push_back({widths[l], widths[l + 1], activations[l], has_biases, rate, n_parameters_,
                       n_parameters_ + weights});
    has_custom_ = has_custom_ || activations[l].custom != nullptr;
    check(weights < kLargestArena - n_parameters_, "widths describe too large a network");
    n_parameters_ += weights + biases;
  }
  widest_ = *std::ranges::max_element(widths);
  numbers_of_a_sample_ = n_inputs();
  constexpr double kOfAnActivation = 30.0;
  for (const Layer& layer : layers_) {
    numbers_of_a_sample_ += 2 * layer.n_out;
    forward_operations_ += 2.0 * static_cast<double>(layer.weights_size()) +
                           kOfAnActivation * static_cast<double>(layer.n_out);
  }
}

}  // namespace pymlp
