// Optimisers: one pass over n consecutive parameters. The formulas are PyTorch's, named by
// torch.optim; a rule says how far a weight moves, c its constants, g the gradient, s, t, u its
// states.
//
// The state of a weight without gradient decays: to 0, and not to the subnormal numbers, where it
// would stay for good and where roots, quotients and products are many times slower. The code
// compares and selects, whatever the processor's mode: the same on every ISA.
#include "kernels/optimizer_rule.hpp"

#include <type_traits>

#include "kernels/table.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/math/math.hpp"

namespace pymlp {
namespace {

// A state, or 0 where its magnitude is below the smallest normal number. NaN stays.
template <class T>
PYMLP_INLINE T flushed(T state, T magnitude) {
  return magnitude < math::power_of_two<T>(1) ? T(0) : state;
}

template <class T>
PYMLP_INLINE T flushed(T state) {
  return flushed(state, math::abs(state));
}

// A state that is never negative.
template <class T>
PYMLP_INLINE T flushed_square(T state) {
  return flushed(state, state);
}

// learning_rate g.
template <class T>
struct SGD {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g) const { return c.learning_rate * g; }
};

// v = momentum v + fresh g; learning_rate v, Nesterov: learning_rate (g + momentum v).
// Sutskever et al., ICML 2013.
template <class T, bool nesterov>
struct SGDMomentum {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& v) const {
    v = flushed(c.momentum * v + c.fresh * g);
    return c.learning_rate * (nesterov ? g + c.momentum * v : v);
  }
};

// v = beta v + (1 - beta) g, an exponentially weighted average; learning_rate v.
template <class T>
struct Momentum {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& v) const {
    v = flushed(c.beta1 * v + c.one_minus_beta1 * g);
    return c.learning_rate * v;
  }
};

// s = beta s + (1 - beta) g^2; g / (sqrt(s) + epsilon). Hinton, Neural networks for machine
// learning, lecture 6e.
template <class T>
PYMLP_INLINE T rms_quotient(const OptimizerStep<T>& c, T g, T& s) {
  s = flushed_square(c.beta1 * s + c.one_minus_beta1 * (g * g));
  return g / (math::square_root(s) + c.epsilon);
}

// With s less the square of the gradients' mean. Graves, arXiv:1308.0850. Rounding may take the
// difference below 0.
template <class T>
PYMLP_INLINE T centered_quotient(const OptimizerStep<T>& c, T g, T& s, T& mean) {
  const T new_s = c.beta1 * s + c.one_minus_beta1 * (g * g);
  const T new_mean = c.beta1 * mean + c.one_minus_beta1 * g;
  const T variance = flushed_square(new_s - new_mean * new_mean);
  s = flushed_square(new_s);
  mean = flushed(new_mean);
  return g / (math::square_root(variance) + c.epsilon);
}

template <class T>
struct RMSProp {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& s) const {
    return c.learning_rate * rms_quotient(c, g, s);
  }
};

template <class T>
struct CenteredRMSProp {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& s, T& mean) const {
    return c.learning_rate * centered_quotient(c, g, s, mean);
  }
};

template <class T>
struct RMSPropMomentum {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& s, T& v) const {
    v = flushed(c.momentum * v + rms_quotient(c, g, s));
    return c.learning_rate * v;
  }
};

template <class T>
struct CenteredRMSPropMomentum {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& s, T& mean, T& v) const {
    v = flushed(c.momentum * v + centered_quotient(c, g, s, mean));
    return c.learning_rate * v;
  }
};

// s += g^2; learning_rate g / (sqrt(s) + epsilon). Duchi et al., JMLR 12, 2011.
template <class T>
struct Adagrad {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& s) const {
    s = flushed_square(s + g * g);
    return c.learning_rate * g / (math::square_root(s) + c.epsilon);
  }
};

// s = beta s + (1 - beta) g^2; d = sqrt(r + epsilon) / sqrt(s + epsilon) g;
// r = beta r + (1 - beta) d^2; learning_rate d. Zeiler, arXiv:1212.5701.
template <class T>
struct Adadelta {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& s, T& r) const {
    s = flushed_square(c.beta1 * s + c.one_minus_beta1 * (g * g));
    const T d = math::square_root(r + c.epsilon) / math::square_root(s + c.epsilon) * g;
    r = flushed_square(c.beta1 * r + c.one_minus_beta1 * (d * d));
    return c.learning_rate * d;
  }
};

// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
// learning_rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).
// Kingma & Ba, arXiv:1412.6980. The step's learning rate already carries its correction.
template <class T>
struct Adam {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& m, T& v) const {
    m = flushed(c.beta1 * m + c.one_minus_beta1 * g);
    v = flushed_square(c.beta2 * v + c.one_minus_beta2 * (g * g));
    return c.learning_rate * m / (math::square_root(v) * c.second_moment_scale + c.epsilon);
  }
};

// With the largest v so far. Reddi et al., ICLR 2018.
template <class T>
struct AMSGrad {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& m, T& v, T& largest) const {
    m = flushed(c.beta1 * m + c.one_minus_beta1 * g);
    v = flushed_square(c.beta2 * v + c.one_minus_beta2 * (g * g));
    largest = math::at_least(v, largest);
    return c.learning_rate * m / (math::square_root(largest) * c.second_moment_scale + c.epsilon);
  }
};

// u = max(beta2 u, |g| + epsilon); learning_rate / (1 - beta1^t) m / u. Kingma & Ba, section 7.
template <class T>
struct Adamax {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& m, T& u) const {
    m = flushed(c.beta1 * m + c.one_minus_beta1 * g);
    u = math::at_least(flushed_square(c.beta2 * u), math::abs(g) + c.epsilon);
    return c.learning_rate * m / u;
  }
};

// (gradient_rate g + mean_rate m) / (sqrt(v) / sqrt(1 - beta2^t) + epsilon). Dozat, 2016.
template <class T>
struct NAdam {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& m, T& v) const {
    m = flushed(c.beta1 * m + c.one_minus_beta1 * g);
    v = flushed_square(c.beta2 * v + c.one_minus_beta2 * (g * g));
    return (c.gradient_rate * g + c.mean_rate * m) /
           (math::square_root(v) * c.second_moment_scale + c.epsilon);
  }
};

// learning_rate sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g. Chen et al.,
// arXiv:2302.06675.
template <class T>
struct Lion {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T g, T& m) const {
    const T direction = math::sign_of(c.beta1 * m + c.one_minus_beta1 * g);
    m = flushed(c.beta2 * m + c.one_minus_beta2 * g);
    return c.learning_rate * direction;
  }
};

// With d = z - x, y = x + (1 - beta1) d: v = beta2 v + (1 - beta2) g^2;
// z -= learning_rate (g / (sqrt(v) + epsilon) + decay y); x += c (z - x), c the share in the
// average. Defazio et al., arXiv:2405.15682, algorithm 1. The step's learning rate carries its
// correction.
template <class T>
struct ScheduleFreeAdamW {
  PYMLP_INLINE T operator()(const OptimizerStep<T>& c, T x, T g, T& d, T& v) const {
    const T y = x + c.one_minus_beta1 * d;
    v = flushed_square(c.beta2 * v + c.one_minus_beta2 * (g * g));
    const T ahead = d - c.learning_rate * (g / (math::square_root(v) + c.epsilon) + c.decay * y);
    d = flushed(c.one_minus_average_share * ahead);
    return -(c.average_share * ahead);
  }
};

// What a step asks for besides its rule. Most ask for nothing, which leaves a loop time to flush.
enum class Extra { none, shrink, all };

// The gradient that a rule sees: scaled, clipped, and with weight decay where that is coupled.
template <Extra extra, class T>
PYMLP_INLINE T seen_gradient(const OptimizerStep<T>& c, T w, T g) {
  const bool all = extra == Extra::all;
  const T scaled = all ? math::between(-c.clip_value, c.clip_value, c.gradient_scale * g) : g;
  return scaled + c.coupled_decay * w;
}

// Most rules need not know the weight.
template <class T, class Rule, class... States>
PYMLP_INLINE T change_by(Rule rule, const OptimizerStep<T>& c, T w, T g, States&... states) {
  if constexpr (std::is_invocable_v<Rule, const OptimizerStep<T>&, T, T, States&...>) {
    return rule(c, w, g, states...);
  } else {
    return rule(c, g, states...);
  }
}

template <Extra extra, class T, class Rule, class... States>
PYMLP_INLINE void apply_with(const OptimizerStep<T>& step, Rule rule, T* w, const T* g, index_t n,
                             States*... states) {
  const OptimizerStep<T> c = step;
  PYMLP_VECTOR_LOOP
  for (index_t i = 0; i < n; ++i) {
    // On copies of the states, which then stay in registers.
    const T change = [&](auto... state) {
      const T result = change_by(rule, c, w[i], seen_gradient<extra>(c, w[i], g[i]), state...);
      ((states[i] = state), ...);
      return result;
    }(states[i]...);
    w[i] = (extra == Extra::none ? w[i] : c.shrink * w[i]) - change;
  }
}

template <class T, class Rule, class... States>
PYMLP_INLINE void apply(const OptimizerStep<T>& c, Rule rule, T* w, const T* g, index_t n,
                        States*... states) {
  const bool clips = c.clip_value < math::Format<T>::infinity;
  if (clips || c.gradient_scale != T(1)) {
    apply_with<Extra::all>(c, rule, w, g, n, states...);
  } else if (c.shrink != T(1)) {
    apply_with<Extra::shrink>(c, rule, w, g, n, states...);
  } else {
    apply_with<Extra::none>(c, rule, w, g, n, states...);
  }
}

template <class T>
void rmsprop(const OptimizerStep<T>& c, T* w, const T* g, T* const* s, index_t n) {
  if (c.has_momentum && c.centered) {
    return apply(c, CenteredRMSPropMomentum<T>{}, w, g, n, s[0], s[1], s[2]);
  }
  if (c.has_momentum) return apply(c, RMSPropMomentum<T>{}, w, g, n, s[0], s[1]);
  if (c.centered) return apply(c, CenteredRMSProp<T>{}, w, g, n, s[0], s[1]);
  apply(c, RMSProp<T>{}, w, g, n, s[0]);
}

template <class T>
void optimizer_update(const OptimizerStep<T>& c, T* w, const T* g, T* const* s, index_t n) {
  switch (c.kind) {
    case OptimizerKind::sgd:
      if (!c.has_momentum) return apply(c, SGD<T>{}, w, g, n);
      if (c.nesterov) return apply(c, SGDMomentum<T, true>{}, w, g, n, s[0]);
      return apply(c, SGDMomentum<T, false>{}, w, g, n, s[0]);
    case OptimizerKind::momentum:
      return apply(c, Momentum<T>{}, w, g, n, s[0]);
    case OptimizerKind::rmsprop:
      return rmsprop(c, w, g, s, n);
    case OptimizerKind::adagrad:
      return apply(c, Adagrad<T>{}, w, g, n, s[0]);
    case OptimizerKind::adadelta:
      return apply(c, Adadelta<T>{}, w, g, n, s[0], s[1]);
    case OptimizerKind::adam:
      if (c.amsgrad) return apply(c, AMSGrad<T>{}, w, g, n, s[0], s[1], s[2]);
      return apply(c, Adam<T>{}, w, g, n, s[0], s[1]);
    case OptimizerKind::adamax:
      return apply(c, Adamax<T>{}, w, g, n, s[0], s[1]);
    case OptimizerKind::nadam:
      return apply(c, NAdam<T>{}, w, g, n, s[0], s[1]);
    case OptimizerKind::lion:
      return apply(c, Lion<T>{}, w, g, n, s[0]);
    case OptimizerKind::schedule_free_adamw:
      return apply(c, ScheduleFreeAdamW<T>{}, w, g, n, s[0], s[1]);
  }
}

}  // namespace

template <Isa isa, class T>
void add_optimizers(Kernels<T>& table) {
  table.optimizer_update = optimizer_update<T>;
}

template void add_optimizers<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_optimizers<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
