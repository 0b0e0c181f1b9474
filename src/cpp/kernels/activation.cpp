#include "kernels/activation.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "kernels/table.hpp"

namespace pymlp {

namespace {

constexpr bool in_order_of_the_enum() {
  std::size_t position = 0;
  for (const ActivationTraits& traits : kActivations) {
    if (static_cast<std::size_t>(traits.kind) != position++) return false;
  }
  return true;
}
static_assert(in_order_of_the_enum());

std::size_t parameter_count(const ActivationTraits& traits) {
  return static_cast<std::size_t>(
      std::ranges::count_if(traits.parameters, [](auto name) { return !name.empty(); }));
}

}  // namespace

const ActivationTraits& find_activation(std::string_view name) {
  const auto* traits = std::ranges::find(kActivations, name, &ActivationTraits::name);
  check(traits != std::end(kActivations), "activation '", name, "' is not known");
  return *traits;
}

Activation make_activation(std::string_view name, std::span<const double> parameters) {
  const ActivationTraits& traits = find_activation(name);
  const std::size_t expected = parameter_count(traits);
  check(parameters.size() == expected, "activation '", name, "' takes ", expected,
        " parameters, not ", parameters.size());
  Activation activation{traits.kind, {}};
  std::ranges::copy(parameters, activation.parameters.begin());
  return activation;
}

template <class T>
void activate(MatrixView<T> a, ConstMatrixView<T> z, const Activation& g) {
  if (g.custom != nullptr) return g.custom->forward(a, z);
  kernels<T>().activation_forward(a, z, g);
}

template <class T>
void activate_backward(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> z,
                       ConstMatrixView<T> a, const Activation& g) {
  if (g.custom != nullptr) return g.custom->backward(dz, da, z);
  kernels<T>().activation_backward(dz, da, z, a, g);
}

template void activate(MatrixView<float>, ConstMatrixView<float>, const Activation&);
template void activate(MatrixView<double>, ConstMatrixView<double>, const Activation&);
template void activate_backward(MatrixView<float>, ConstMatrixView<float>, ConstMatrixView<float>,
                                ConstMatrixView<float>, const Activation&);
template void activate_backward(MatrixView<double>, ConstMatrixView<double>,
                                ConstMatrixView<double>, ConstMatrixView<double>,
                                const Activation&);

}  // namespace pymlp
