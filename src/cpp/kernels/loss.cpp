#include "kernels/loss.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "kernels/table.hpp"

namespace pymlp {

namespace {

constexpr bool in_order_of_the_enum() {
  std::size_t position = 0;
  for (const LossTraits& traits : kLosses) {
    if (static_cast<std::size_t>(traits.kind) != position++) return false;
  }
  return true;
}
static_assert(in_order_of_the_enum());

}  // namespace

const LossTraits& find_loss(std::string_view name) {
  const auto* traits = std::ranges::find(kLosses, name, &LossTraits::name);
  check(traits != std::end(kLosses), "loss '", name, "' is not known");
  return *traits;
}

Loss make_loss(std::string_view name, std::span<const double> parameters, double label_smoothing) {
  check(label_smoothing >= 0.0 && label_smoothing < 1.0, "label_smoothing must be in [0, 1), not ",
        label_smoothing);
  const LossTraits& traits = find_loss(name);
  const std::size_t wanted = traits.parameter.empty() ? 0 : 1;
  const bool several = traits.kind == LossKind::quantile && parameters.size() > 1;
  check(parameters.size() == wanted || several, "loss '", name, "' has ", wanted,
        " parameters, not ", parameters.size());
  return {traits.kind, parameters, label_smoothing, nullptr};
}

void check_pair(const Loss& loss, const Activation& output) {
  const LossTraits& needs = traits_of(loss.kind);
  const ActivationTraits& gives = traits_of(output.kind);
  check(needs.outputs != Outputs::probabilities || gives.unit_interval ||
            computed_from_logits(loss, output),
        "loss '", needs.name,
        "' needs an output activation with values in [0, 1], such as softmax or sigmoid, not '",
        gives.name, "'");
  check(needs.outputs != Outputs::non_negative || gives.non_negative, "loss '", needs.name,
        "' needs an output activation without negative values, such as exp or softplus, not '",
        gives.name, "'");
}

void check_outputs(const Loss& loss, index_t n_outputs) {
  const auto n = static_cast<index_t>(loss.parameters.size());
  check(n <= 1 || n == n_outputs, traits_of(loss.kind).parameter, " of loss '",
        traits_of(loss.kind).name, "' must be one number, or ", n_outputs,
        ", one for each output, not ", n);
}

template <class T>
void loss_and_gradient(T* losses, MatrixView<T> gradient, ConstMatrixView<T> z,
                       ConstMatrixView<T> a, const Targets<T>& targets, const T* scale,
                       const Loss& loss, const Activation& output) {
  if (loss.custom != nullptr) return (*loss.custom)(losses, gradient, a, targets, scale);
  const bool from_logits = computed_from_logits(loss, output);
  kernels<T>().loss(losses, gradient, from_logits ? z : a, targets, scale, loss, from_logits);
}

template void loss_and_gradient(float*, MatrixView<float>, ConstMatrixView<float>,
                                ConstMatrixView<float>, const Targets<float>&, const float*,
                                const Loss&, const Activation&);
template void loss_and_gradient(double*, MatrixView<double>, ConstMatrixView<double>,
                                ConstMatrixView<double>, const Targets<double>&, const double*,
                                const Loss&, const Activation&);

}  // namespace pymlp
