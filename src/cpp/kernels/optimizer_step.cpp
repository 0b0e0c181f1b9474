#include <cmath>

#include "kernels/optimizer.hpp"

namespace pymlp {

int state_count(const OptimizerRule& rule) {
  switch (rule.kind) {
    case OptimizerKind::sgd:
      return rule.momentum != 0.0 ? 1 : 0;
    case OptimizerKind::rmsprop:
      return 1 + (rule.momentum != 0.0 ? 1 : 0) + (rule.centered ? 1 : 0);
    case OptimizerKind::adam:
      return 2;
  }
  return 0;
}

template <class T>
OptimizerStep<T> make_step(const OptimizerRule& rule, std::int64_t step) {
  double learning_rate = rule.learning_rate;
  double second_moment_scale = 1.0;
  if (rule.kind == OptimizerKind::adam) {
    const auto t = static_cast<double>(step);
    learning_rate /= 1.0 - std::pow(rule.beta1, t);
    second_moment_scale = 1.0 / std::sqrt(1.0 - std::pow(rule.beta2, t));
  }
  return {
      .kind = rule.kind,
      .has_momentum = rule.momentum != 0.0,
      .nesterov = rule.nesterov,
      .centered = rule.centered,
      .learning_rate = static_cast<T>(learning_rate),
      .momentum = static_cast<T>(rule.momentum),
      .beta1 = static_cast<T>(rule.beta1),
      .one_minus_beta1 = static_cast<T>(1.0 - rule.beta1),
      .beta2 = static_cast<T>(rule.beta2),
      .one_minus_beta2 = static_cast<T>(1.0 - rule.beta2),
      .epsilon = static_cast<T>(rule.epsilon),
      .second_moment_scale = static_cast<T>(second_moment_scale),
  };
}

template OptimizerStep<float> make_step(const OptimizerRule&, std::int64_t);
template OptimizerStep<double> make_step(const OptimizerRule&, std::int64_t);

}  // namespace pymlp
