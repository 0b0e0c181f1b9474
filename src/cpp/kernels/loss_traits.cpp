#include "base/check.hpp"
#include "kernels/loss.hpp"

namespace pymlp {

namespace {

constexpr LossKind kLosses[] = {LossKind::cross_entropy, LossKind::binary_cross_entropy,
                                LossKind::mse};

}  // namespace

std::string_view name_of(LossKind loss) {
  switch (loss) {
    case LossKind::cross_entropy:
      return "cross_entropy";
    case LossKind::binary_cross_entropy:
      return "binary_cross_entropy";
    case LossKind::mse:
      return "mse";
  }
  return "unknown";
}

LossKind loss_of_name(std::string_view name) {
  for (const LossKind loss : kLosses) {
    if (name_of(loss) == name) return loss;
  }
  fail("loss must be cross_entropy, binary_cross_entropy or mse, not '", name, "'");
}

void check_pair(LossKind loss, const Activation& output) {
  const ActivationTraits& traits = traits_of(output.kind);
  check(loss == LossKind::mse || traits.unit_interval, "loss '", name_of(loss),
        "' needs an output activation with values in [0, 1], such as softmax or sigmoid, not '",
        traits.name, "'");
}

bool computed_from_logits(LossKind loss, const Activation& output) {
  return (loss == LossKind::cross_entropy && output.kind == ActivationKind::softmax) ||
         (loss == LossKind::binary_cross_entropy && output.kind == ActivationKind::sigmoid);
}

}  // namespace pymlp
