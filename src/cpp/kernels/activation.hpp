// Activations: what they are called, what they need, and which forms have a shortcut.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace pymlp {

enum class ActivationKind : std::uint8_t {
  linear,
  step,
  sigmoid,
  softmax,
  tanh,
  relu,
  leaky_relu,
  elu,
};

struct Activation {
  ActivationKind kind = ActivationKind::linear;
  std::array<double, 2> parameters{};  // in the order of activation_parameters(kind)

  bool operator==(const Activation&) const = default;
};

struct ActivationTraits {
  ActivationKind kind;
  std::string_view name;
  std::array<std::string_view, 2> parameters;  // names; empty where there are fewer
  bool derivative_needs_z;                     // g' cannot be had from a = g(z) alone
  bool unit_interval;                          // 0 <= a <= 1: fit to be read as a probability
  bool relu_like;                              // initialised after He
};

std::span<const ActivationTraits> all_activations();
const ActivationTraits& traits_of(ActivationKind kind);
Activation make_activation(std::string_view name, std::span<const double> parameters);

}  // namespace pymlp
