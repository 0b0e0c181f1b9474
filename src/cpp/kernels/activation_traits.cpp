#include <algorithm>

#include "base/check.hpp"
#include "kernels/activation.hpp"

namespace pymlp {

namespace {

using enum ActivationKind;

// kind, name, parameters, derivative_needs_z, unit_interval, relu_like; in the order of the enum.
constexpr ActivationTraits kActivations[] = {
    {linear, "linear", {}, false, false, false},
    {step, "step", {"threshold"}, false, true, false},
    {sigmoid, "sigmoid", {}, false, true, false},
    {softmax, "softmax", {}, false, true, false},
    {tanh, "tanh", {}, false, false, false},
    {relu, "relu", {}, false, false, true},
    {leaky_relu, "leaky_relu", {"slope", "threshold"}, true, false, true},
    {elu, "elu", {"alpha"}, true, false, true},
};

std::size_t parameter_count(const ActivationTraits& traits) {
  return static_cast<std::size_t>(
      std::ranges::count_if(traits.parameters, [](auto name) { return !name.empty(); }));
}

}  // namespace

std::span<const ActivationTraits> all_activations() { return kActivations; }

const ActivationTraits& traits_of(ActivationKind kind) {
  return kActivations[static_cast<std::size_t>(kind)];
}

Activation make_activation(std::string_view name, std::span<const double> parameters) {
  const auto* traits = std::ranges::find(kActivations, name, &ActivationTraits::name);
  check(traits != std::end(kActivations), "activation '", name, "' is not known");
  const std::size_t expected = parameter_count(*traits);
  check(parameters.size() == expected, "activation '", name, "' takes ", expected,
        " parameters, not ", parameters.size());
  Activation activation{traits->kind, {}};
  std::ranges::copy(parameters, activation.parameters.begin());
  return activation;
}

}  // namespace pymlp
