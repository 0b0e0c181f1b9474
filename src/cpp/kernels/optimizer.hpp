// Optimisers: the rule, its constants, and the two arenas of state that a rule may keep.
#pragma once

#include <cstdint>
#include <string_view>

namespace pymlp {

enum class OptimizerKind : std::uint8_t { sgd, rmsprop, adam };

// One rule with its options; which of them a rule reads is said beside it in optimizer.cpp.
struct OptimizerRule {
  OptimizerKind kind = OptimizerKind::sgd;
  double learning_rate = 0.01;
  double momentum = 0.0;
  bool nesterov = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  bool centered = false;
};

// Arenas of state beside the parameters: 0 for plain SGD, up to 3.
int state_count(const OptimizerRule& rule);

// The constants of one step, computed once in double and rounded once.
template <class T>
struct OptimizerStep {
  OptimizerKind kind;
  bool has_momentum;
  bool nesterov;
  bool centered;
  T learning_rate;
  T momentum;
  T beta1, one_minus_beta1;
  T beta2, one_minus_beta2;
  T epsilon;
  T second_moment_scale;  // 1 / sqrt(1 - beta2^t)
};

// `step` counts from 1.
template <class T>
OptimizerStep<T> make_step(const OptimizerRule& rule, std::int64_t step);

}  // namespace pymlp
