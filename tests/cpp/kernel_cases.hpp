// Every vector kernel in every form, on the numbers of kernel_numbers.hpp. What a case computes
// must be the same bits on every instruction set, compiler and machine.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernel_numbers.hpp"
#include "kernels/table.hpp"
#include "lane_cases.hpp"
#include "operation_cases.hpp"
#include "product_cases.hpp"

namespace pymlp::test {

template <class T>
using Compute = std::function<Outcome(const Kernels<T>&)>;
template <class T>
using Visit = std::function<void(const std::string& what, const Compute<T>& compute)>;

// ---------------------------------------------------------------- elementary functions

template <class T>
void elementary_cases(const Visit<T>& visit) {
  Random random(1, 0);
  for (const Kind kind : kKinds) {
    const std::vector<T> x = draw<T>(20011, kind, random);
    for (std::size_t f = 0; f < std::size(kElementaryNames); ++f) {
      visit(std::string(kElementaryNames[f]), [&](const Kernels<T>& table) {
        std::vector<T> y(x.size());
        table.elementary(static_cast<Elementary>(f), y.data(), x.data(), std::ssize(x));
        Outcome outcome;
        outcome.add(y);
        return outcome;
      });
    }
  }
}

// ---------------------------------------------------------------- activations

// a and dz, where the way forward keeps g'.
template <class T>
void run_with_slope(Outcome& outcome, const Kernels<T>& table, const Activation& g,
                    const Matrix<T>& z, const Matrix<T>& da) {
  Matrix<T> a = z, z_then_slope = z, dz = da;
  table.activation_with_slope(a.view(), z_then_slope.view(), g);
  table.multiply_elements(dz.view(), dz.view(), z_then_slope.view());
  outcome.add(a.numbers());
  outcome.add(dz.numbers());
}

// Forward and backward, each into memory of its own and in place.
template <class T>
Outcome run_activation(const Kernels<T>& table, const Activation& g, const Matrix<T>& z,
                       const Matrix<T>& da) {
  Matrix<T> a = z;
  table.activation_forward(a.view(), z.view(), g);
  Matrix<T> dz = da;
  table.activation_backward(dz.view(), da.view(), z.view(), a.view(), g);
  Matrix<T> z_then_a = z;
  table.activation_forward(z_then_a.view(), z_then_a.view(), g);
  Matrix<T> da_then_dz = da;
  table.activation_backward(da_then_dz.view(), da_then_dz.view(), z.view(), a.view(), g);
  Outcome outcome;
  for (const Matrix<T>* m : {&a, &dz, &z_then_a, &da_then_dz}) outcome.add(m->numbers());
  if (keeps_slope(g.kind)) run_with_slope(outcome, table, g, z, da);
  return outcome;
}

template <class T>
void activation_cases(const Visit<T>& visit) {
  for_inputs(2, [&](const Shape& shape, Kind kind, Random& random) {
    const Matrix<T> z(shape, kind, random);
    const Matrix<T> da(shape, kind, random);
    for (const ActivationTraits& traits : kActivations) {
      if (traits.kind == ActivationKind::custom) continue;
      for (const auto& parameters : {std::array{0.3, 0.1}, std::array{0.0, 0.0}}) {
        visit(std::string(traits.name), [&](const Kernels<T>& table) {
          return run_activation<T>(table, {traits.kind, parameters}, z, da);
        });
      }
    }
  });
}

// ---------------------------------------------------------------- losses

// Whether there is an output activation whose z this loss reads.
inline bool has_logits(const Loss& loss) {
  for (const ActivationTraits& traits : kActivations) {
    if (computed_from_logits(loss, {traits.kind})) return true;
  }
  return false;
}

template <class T>
struct LossCase {
  const Matrix<T>& outputs;
  Targets<T> targets;
  const std::vector<T>& scale;
};

template <class T>
Outcome run_loss(const Kernels<T>& table, const LossCase<T>& c, const Loss& loss,
                 bool from_logits) {
  std::vector<T> losses(c.scale.size());
  Matrix<T> gradient = c.outputs;
  table.loss(losses.data(), gradient.view(), c.outputs.view(), c.targets, c.scale.data(), loss,
             from_logits);
  Outcome outcome;
  outcome.add(losses);
  outcome.add(gradient.numbers());
  return outcome;
}

template <class T>
void visit_losses(const Visit<T>& visit, const LossCase<T>& c) {
  for (const LossTraits& traits : kLosses) {
    if (traits.kind == LossKind::custom) continue;
    for (const double smoothing : {0.0, 0.1}) {
      const Loss loss{traits.kind, kLossParameters, smoothing};
      for (const bool from_logits : {false, true}) {
        if (from_logits && !has_logits(loss)) continue;
        visit(std::string(traits.name),
              [&](const Kernels<T>& table) { return run_loss<T>(table, c, loss, from_logits); });
      }
    }
  }
}

template <class T>
void loss_cases(const Visit<T>& visit) {
  for_inputs(3, [&](const Shape& shape, Kind kind, Random& random) {
    const Matrix<T> outputs(shape, kind, random);
    const Matrix<T> values(shape, kind, random);
    const std::vector<T> scale = draw<T>(shape.rows, Kind::ordinary, random);
    std::vector<std::int32_t> labels;
    for (index_t i = 0; i < shape.rows; ++i) {
      labels.push_back(static_cast<std::int32_t>(random.below(shape.cols)));
    }
    visit_losses<T>(visit, {outputs, {labels.data(), {}}, scale});
    visit_losses<T>(visit, {outputs, {nullptr, values.view()}, scale});
  });
}

// ---------------------------------------------------------------- optimisers

inline OptimizerRule rule_of(OptimizerKind kind, double momentum = 0.0) {
  OptimizerRule rule;
  rule.kind = kind;
  rule.momentum = momentum;
  return rule;
}

// Every rule in each of its forms.
inline std::vector<OptimizerRule> all_rules() {
  using enum OptimizerKind;
  std::vector<OptimizerRule> rules;
  const auto add = [&rules](OptimizerRule rule, auto change) {
    change(rule);
    rules.push_back(rule);
  };
  for (const OptimizerKind kind : {sgd, momentum, rmsprop, adagrad, adadelta, adam, adamax, nadam,
                                   lion, schedule_free_adamw}) {
    rules.push_back(rule_of(kind));
    add(rule_of(kind), [](auto& rule) { rule.weight_decay = 0.125; });
    add(rule_of(kind), [](auto& rule) { rule.weight_decay = 0.125, rule.decoupled = true; });
    add(rule_of(kind), [](auto& rule) { rule.maximize = true; });
  }
  rules.push_back(rule_of(sgd, 0.9));
  add(rule_of(sgd, 0.9), [](auto& rule) { rule.nesterov = true; });
  add(rule_of(sgd, 0.9), [](auto& rule) { rule.dampening = 0.25; });
  rules.push_back(rule_of(rmsprop, 0.9));
  add(rule_of(rmsprop), [](auto& rule) { rule.centered = true; });
  add(rule_of(rmsprop, 0.9), [](auto& rule) { rule.centered = true; });
  add(rule_of(adagrad), [](auto& rule) { rule.initial_accumulator = 0.1; });
  add(rule_of(adagrad), [](auto& rule) { rule.learning_rate_decay = 0.5; });
  add(rule_of(adam), [](auto& rule) { rule.amsgrad = true; });
  return rules;
}

// Parameters and state after three steps.
template <class T>
Outcome run_optimizer(const Kernels<T>& table, const OptimizerRule& rule, const Clipping& clipping,
                      std::vector<T> parameters, const std::vector<T>& gradient) {
  const std::vector<T> start(parameters.size(), static_cast<T>(initial_state(rule)));
  std::array<std::vector<T>, kMostStates> memory{start, start, start};
  const std::array<T*, kMostStates> state{memory[0].data(), memory[1].data(), memory[2].data()};
  BetaPowers powers(rule);
  for (std::int64_t step = 1; step <= 3; ++step) {
    const double share = 1.0 / static_cast<double>(step);
    table.optimizer_update(make_step<T>(rule, step, clipping, powers, share), parameters.data(),
                           gradient.data(), state.data(), std::ssize(parameters));
  }
  Outcome outcome;
  outcome.add(parameters);
  for (const auto& arena : memory) outcome.add(arena);
  return outcome;
}

template <class T>
void visit_rules(const Visit<T>& visit, const std::vector<T>& parameters,
                 const std::vector<T>& gradient) {
  const std::vector<OptimizerRule> rules = all_rules();
  for (std::size_t r = 0; r < rules.size(); ++r) {
    for (const Clipping& clipping : {Clipping{}, Clipping{0.375, 0.5}}) {
      visit("rule " + std::to_string(r), [&](const Kernels<T>& table) {
        return run_optimizer<T>(table, rules[r], clipping, parameters, gradient);
      });
    }
  }
}

// Gradients of every size, so that there are states, and squares, on both sides of the smallest
// normal number.
template <class T>
std::vector<T> draw_of_every_size(index_t n, Random& random) {
  constexpr index_t kExponents =
      std::numeric_limits<T>::digits - std::numeric_limits<T>::min_exponent;
  std::vector<T> numbers = draw<T>(n, Kind::ordinary, random);
  for (T& x : numbers) x = std::ldexp(x, -static_cast<int>(random.below(kExponents)));
  return numbers;
}

template <class T>
void optimizer_cases(const Visit<T>& visit) {
  Random random(4, 0);
  for (const Kind kind : kKinds) {
    for (const index_t n : {1, 15, 16, 17, 1000}) {
      const std::vector<T> parameters = draw<T>(n, kind, random);
      visit_rules<T>(visit, parameters, draw<T>(n, kind, random));
    }
  }
  const std::vector<T> parameters = draw<T>(1000, Kind::ordinary, random);
  visit_rules<T>(visit, parameters, draw_of_every_size<T>(1000, random));
}

// ---------------------------------------------------------------- reductions

template <class T>
void dense_cases(const Visit<T>& visit) {
  for_inputs(5, [&](const Shape& shape, Kind kind, Random& random) {
    const Matrix<T> d(shape, kind, random);
    visit("column_sums", [&](const Kernels<T>& table) {
      std::vector<T> sums(static_cast<std::size_t>(shape.cols));
      table.column_sums(sums.data(), d.view(), false);
      Outcome outcome;
      outcome.add(sums);
      return outcome;
    });
    visit("all_finite", [&](const Kernels<T>& table) {
      Outcome outcome;
      outcome.add(table.all_finite(d.numbers().data(), shape.size()) ? T(1) : T(0));
      return outcome;
    });
  });
}

template <class T>
void visit_averages(const Visit<T>& visit, const Matrix<T>& x, const Matrix<T>& y) {
  visit("interpolate", [&](const Kernels<T>& table) {
    std::vector<T> result = x.numbers();
    table.interpolate(result.data(), y.numbers().data(), T(0.1), std::ssize(result));
    Outcome outcome;
    outcome.add(result);
    return outcome;
  });
  visit("add_scaled", [&](const Kernels<T>& table) {
    std::vector<T> result = x.numbers();
    table.add_scaled(result.data(), x.numbers().data(), y.numbers().data(), T(0.1),
                     std::ssize(result));
    Outcome outcome;
    outcome.add(result);
    return outcome;
  });
}

// ---- dropout, penalties, limits on norms --------------------------------------------------------

// Into memory of its own, and in place.
template <class T>
Outcome run_dropout(const Kernels<T>& table, const Matrix<T>& from, double rate,
                    std::uint64_t step) {
  constexpr std::uint64_t kSeed = 0x0123456789abcdef;
  Matrix<T> to = from;
  table.dropout(to.view(), from.view(), rate, kSeed, step, 3, 1000);
  Matrix<T> in_place = from;
  table.dropout(in_place.view(), in_place.view(), rate, kSeed, step, 0, 0);
  Outcome outcome;
  outcome.add(to.numbers());
  outcome.add(in_place.numbers());
  return outcome;
}

template <class T>
void visit_norms(const Visit<T>& visit, const Matrix<T>& w) {
  visit("sums of squares and magnitudes", [&](const Kernels<T>& table) {
    Outcome outcome;
    outcome.add(table.sum_of_squares(w.numbers().data(), std::ssize(w.numbers())));
    outcome.add(table.sum_of_magnitudes(w.numbers().data(), std::ssize(w.numbers())));
    return outcome;
  });
  for (const double limit : {1.0, 100.0}) {
    visit("limit_column_norms", [&](const Kernels<T>& table) {
      Matrix<T> limited = w;
      std::vector<T> scales(static_cast<std::size_t>(w.view().cols));
      table.limit_column_norms(limited.view(), static_cast<T>(limit), scales.data());
      Outcome outcome;
      outcome.add(limited.numbers());
      return outcome;
    });
  }
}

template <class T>
void regularization_cases(const Visit<T>& visit) {
  for_inputs(6, [&](const Shape& shape, Kind kind, Random& random) {
    const Matrix<T> w(shape, kind, random);
    const Matrix<T> g(shape, kind, random);
    for (const double rate : {0.1, 0.5, 0.999}) {
      visit("dropout", [&](const Kernels<T>& table) {
        return run_dropout<T>(table, w, rate, std::uint64_t{7} << 33 | 5);
      });
    }
    visit("add_penalty", [&](const Kernels<T>& table) {
      std::vector<T> sum = g.numbers();
      table.add_penalty(sum.data(), w.numbers().data(), shape.size(), T(0.01), T(0.3));
      Outcome outcome;
      outcome.add(sum);
      return outcome;
    });
    visit_norms<T>(visit, w);
    visit_averages<T>(visit, w, g);
  });
}

// ---------------------------------------------------------------- products

template <class T>
void product_cases(const Visit<T>& visit) {
  constexpr ProductSize kSizes[] = {{1, 1, 1},   {3, 10, 5},   {7, 17, 0},    {13, 31, 40},
                                    {25, 70, 9}, {2, 300, 64}, {50, 33, 257}, {64, 4, 100}};
  for (const Kind kind : kKinds) {
    const Operands<T> of({64, 300, 257}, kind, 8);
    for (const ProductSize& size : kSizes) {
      for (const Form form : kForms) {
        visit("product", [&](const Kernels<T>& table) {
          Outcome outcome;
          outcome.add(Product<T>(of, size, form).run(table));
          return outcome;
        });
      }
    }
  }
}

// ---------------------------------------------------------------- operations, samples as lanes

template <class T>
void lane_cases(const Visit<T>& visit) {
  visit_lanes<T>(visit);
}

template <class T>
void operation_cases(const Visit<T>& visit) {
  visit_operations<T>(visit);
}

// ---------------------------------------------------------------- all of them

template <class T>
struct Family {
  const char* name;
  void (*visit_cases)(const Visit<T>& visit);
};

template <class T>
inline constexpr Family<T> kFamilies[] = {
    {"elementary", elementary_cases<T>},
    {"activation", activation_cases<T>},
    {"loss", loss_cases<T>},
    {"optimizer", optimizer_cases<T>},
    {"dense", dense_cases<T>},
    {"regularization", regularization_cases<T>},
    {"product", product_cases<T>},
    {"operation", operation_cases<T>},
    {"lanes", lane_cases<T>},
};

inline std::vector<Isa> supported_isas() {
  std::vector<Isa> result;
  for (const Isa isa : {Isa::generic, Isa::avx2, Isa::avx512}) {
    if (cpu_supports(isa)) result.push_back(isa);
  }
  return result;
}

}  // namespace pymlp::test
