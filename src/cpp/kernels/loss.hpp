// Losses: names, options, which may follow which output activation, and the call that computes
// them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/view.hpp"
#include "kernels/activation.hpp"
#include "kernels/user_function.hpp"

namespace pymlp {

enum class LossKind : std::uint8_t {
  cross_entropy,
  binary_cross_entropy,
  mse,
  mae,
  huber,
  log_cosh,
  poisson,
  quantile,
  hinge,
  kl_divergence,
  custom,
};

struct Loss {
  LossKind kind = LossKind::mse;
  // huber: delta; quantile: q, or one for each output; not owned.
  std::span<const double> parameters{};
  double label_smoothing = 0.0;  // of the two cross-entropies, in [0, 1)
  UserLoss* custom = nullptr;    // where kind is custom; not owned
};

// The outputs that a loss is defined for.
enum class Outputs : std::uint8_t { any, non_negative, probabilities };

struct LossTraits {
  LossKind kind;
  std::string_view name;
  std::string_view parameter;  // its name; empty where there is none
  Outputs outputs;
  bool takes_labels;
};

// In the order of the enum.
inline constexpr LossTraits kLosses[] = {
    {LossKind::cross_entropy, "cross_entropy", "", Outputs::probabilities, true},
    {LossKind::binary_cross_entropy, "binary_cross_entropy", "", Outputs::probabilities, false},
    {LossKind::mse, "mse", "", Outputs::any, false},
    {LossKind::mae, "mae", "", Outputs::any, false},
    {LossKind::huber, "huber", "delta", Outputs::any, false},
    {LossKind::log_cosh, "log_cosh", "", Outputs::any, false},
    {LossKind::poisson, "poisson", "", Outputs::non_negative, false},
    {LossKind::quantile, "quantile", "q", Outputs::any, false},
    {LossKind::hinge, "hinge", "", Outputs::any, false},
    {LossKind::kl_divergence, "kl_divergence", "", Outputs::probabilities, false},
    {LossKind::custom, "custom", "", Outputs::any, true},
};

constexpr const LossTraits& traits_of(LossKind kind) {
  return kLosses[static_cast<std::size_t>(kind)];
}

const LossTraits& find_loss(std::string_view name);
Loss make_loss(std::string_view name, std::span<const double> parameters, double label_smoothing);

// Throws where the activation does not give what the loss reads.
void check_pair(const Loss& loss, const Activation& output);
// Throws where the loss has a parameter for each output, and there are more or fewer.
void check_outputs(const Loss& loss, index_t n_outputs);

constexpr bool has_logit_form(const Loss& loss) {
  return loss.kind == LossKind::cross_entropy || loss.kind == LossKind::kl_divergence ||
         loss.kind == LossKind::binary_cross_entropy || loss.kind == LossKind::poisson;
}

// Pairs that are computed from z, so that a logarithm never meets an exponential that underflowed.
constexpr bool computed_from_logits(const Loss& loss, const Activation& output) {
  const bool softmax =
      output.kind == ActivationKind::softmax || output.kind == ActivationKind::log_softmax;
  switch (loss.kind) {
    case LossKind::cross_entropy:
    case LossKind::kl_divergence:
      return softmax;
    case LossKind::binary_cross_entropy:
      return output.kind == ActivationKind::sigmoid;
    case LossKind::poisson:
      return output.kind == ActivationKind::exp;
    default:
      return false;
  }
}

// The targets of a batch: class labels, or a value for each output.
template <class T>
struct Targets {
  const std::int32_t* labels = nullptr;
  ConstMatrixView<T> values;

  PYMLP_INLINE Targets slice(index_t first, index_t count) const {
    if (labels != nullptr) return {labels + first, {}};
    return {nullptr, values.slice(first, count)};
  }
};

// Fills `losses` (m,) with each sample's loss and `gradient` (m, k) with scale_i
// d(loss_i)/d(outputs). `z` and `a` are the last layer's; the gradient is that of z where the pair
// is computed from logits, else that of a.
template <class T>
void loss_and_gradient(T* losses, MatrixView<T> gradient, ConstMatrixView<T> z,
                       ConstMatrixView<T> a, const Targets<T>& targets, const T* scale,
                       const Loss& loss, const Activation& output);

}  // namespace pymlp
