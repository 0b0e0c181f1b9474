// Activations: names, parameters and traits, and the calls that compute them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/view.hpp"
#include "kernels/user_function.hpp"

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
  selu,
  celu,
  gelu,
  gelu_tanh,
  silu,
  mish,
  softplus,
  softsign,
  hard_sigmoid,
  hard_swish,
  hard_tanh,
  relu6,
  exp,
  sin,
  gaussian,
  log_softmax,
  custom,
};

struct Activation {
  ActivationKind kind = ActivationKind::linear;
  std::array<double, 2> parameters{};  // in the order of their traits
  UserActivation* custom = nullptr;    // where kind is custom; not owned
};

// The family of the initialiser that `automatic` chooses.
enum class InitializerFamily : std::uint8_t { glorot, he, lecun };

struct ActivationTraits {
  ActivationKind kind;
  std::string_view name;
  bool derivative_needs_z;  // g' cannot be had from a = g(z) alone
  bool unit_interval;       // 0 <= a <= 1: fit to be read as a probability
  bool non_negative;
  InitializerFamily family;
  std::array<std::string_view, 2> parameters{};  // names; empty where there are fewer
};

// In the order of the enum.
inline constexpr ActivationTraits kActivations[] = {
    {ActivationKind::linear, "linear", false, false, false, InitializerFamily::glorot},
    {ActivationKind::step, "step", false, true, true, InitializerFamily::glorot, {"threshold"}},
    {ActivationKind::sigmoid, "sigmoid", false, true, true, InitializerFamily::glorot},
    {ActivationKind::softmax, "softmax", false, true, true, InitializerFamily::glorot},
    {ActivationKind::tanh, "tanh", false, false, false, InitializerFamily::glorot},
    {ActivationKind::relu, "relu", false, false, true, InitializerFamily::he},
    {ActivationKind::leaky_relu,
     "leaky_relu",
     true,
     false,
     false,
     InitializerFamily::he,
     {"slope", "threshold"}},
    {ActivationKind::elu, "elu", true, false, false, InitializerFamily::he, {"alpha"}},
    {ActivationKind::selu, "selu", true, false, false, InitializerFamily::lecun},
    {ActivationKind::celu, "celu", true, false, false, InitializerFamily::he, {"alpha"}},
    {ActivationKind::gelu, "gelu", true, false, false, InitializerFamily::he},
    {ActivationKind::gelu_tanh, "gelu_tanh", true, false, false, InitializerFamily::he},
    {ActivationKind::silu, "silu", true, false, false, InitializerFamily::he},
    {ActivationKind::mish, "mish", true, false, false, InitializerFamily::he},
    {ActivationKind::softplus, "softplus", true, false, true, InitializerFamily::he},
    {ActivationKind::softsign, "softsign", true, false, false, InitializerFamily::glorot},
    {ActivationKind::hard_sigmoid, "hard_sigmoid", true, true, true, InitializerFamily::glorot},
    {ActivationKind::hard_swish, "hard_swish", true, false, false, InitializerFamily::he},
    {ActivationKind::hard_tanh, "hard_tanh", false, false, false, InitializerFamily::glorot},
    {ActivationKind::relu6, "relu6", false, false, true, InitializerFamily::he},
    {ActivationKind::exp, "exp", false, false, true, InitializerFamily::glorot},
    {ActivationKind::sin, "sin", true, false, false, InitializerFamily::glorot},
    {ActivationKind::gaussian, "gaussian", true, true, true, InitializerFamily::glorot},
    {ActivationKind::log_softmax, "log_softmax", false, false, false, InitializerFamily::glorot},
    {ActivationKind::custom, "custom", true, true, true, InitializerFamily::glorot},
};

constexpr const ActivationTraits& traits_of(ActivationKind kind) {
  return kActivations[static_cast<std::size_t>(kind)];
}

// Whether each number of a follows from its own z alone, and not through a user function.
constexpr bool is_element_wise(ActivationKind kind) {
  return kind != ActivationKind::softmax && kind != ActivationKind::log_softmax &&
         kind != ActivationKind::custom;
}

// Whether the way forward computes g' along with a, and keeps it in the place of z.
constexpr bool keeps_slope(ActivationKind kind) {
  return is_element_wise(kind) && traits_of(kind).derivative_needs_z;
}

const ActivationTraits& find_activation(std::string_view name);
Activation make_activation(std::string_view name, std::span<const double> parameters);

// a = g(z), (m, n) both. `a` may be `z`.
template <class T>
void activate(MatrixView<T> a, ConstMatrixView<T> z, const Activation& g);

// dz = da * g'(z), for softmax the product with its Jacobian: (m, n) all. `dz` may be `da`.
template <class T>
void activate_backward(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> z,
                       ConstMatrixView<T> a, const Activation& g);

}  // namespace pymlp
