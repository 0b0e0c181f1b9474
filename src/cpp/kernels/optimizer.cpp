// Optimisers: one pass over n consecutive parameters. The formulas are PyTorch's, named by
// torch.optim.
#include "kernels/optimizer.hpp"

#include "kernels/loops.hpp"
#include "kernels/table.hpp"

namespace pymlp {
namespace {

PYMLP_INLINE float square_root(float x) { return __builtin_sqrtf(x); }
PYMLP_INLINE double square_root(double x) { return __builtin_sqrt(x); }

// v = momentum v + g; w -= learning_rate v, Nesterov: w -= learning_rate (g + momentum v).
// Sutskever et al., ICML 2013, as in torch.optim.SGD.
template <class T>
void sgd(const OptimizerStep<T>& step, T* w, const T* g, T* const* state, index_t n) {
  const T rate = step.learning_rate;
  const T momentum = step.momentum;
  if (!step.has_momentum) {
    PYMLP_VECTOR_LOOP
    for (index_t i = 0; i < n; ++i) w[i] -= rate * g[i];
    return;
  }
  T* v = state[0];
  const bool nesterov = step.nesterov;
  PYMLP_VECTOR_LOOP
  for (index_t i = 0; i < n; ++i) {
    const T velocity = momentum * v[i] + g[i];
    const T ahead = g[i] + momentum * velocity;
    v[i] = velocity;
    w[i] -= rate * (nesterov ? ahead : velocity);
  }
}

// s = beta s + (1 - beta) g^2; w -= learning_rate g / (sqrt(s - mean^2) + epsilon), the mean of the
// gradients only if centered, the quotient through a momentum buffer only if there is momentum.
// Hinton, Neural networks for machine learning, lecture 6e; centred: Graves, arXiv:1308.0850.
template <class T, bool momentum, bool centered>
void rmsprop_loop(const OptimizerStep<T>& step, T* w, const T* g, T* const* state, index_t n) {
  T* s = state[0];
  T* mean = centered ? state[1] : nullptr;
  T* buffer = momentum ? state[centered ? 2 : 1] : nullptr;
  const OptimizerStep<T> c = step;
  PYMLP_VECTOR_LOOP
  for (index_t i = 0; i < n; ++i) {
    s[i] = c.beta1 * s[i] + c.one_minus_beta1 * (g[i] * g[i]);
    T variance = s[i];
    if constexpr (centered) {
      mean[i] = c.beta1 * mean[i] + c.one_minus_beta1 * g[i];
      variance -= mean[i] * mean[i];
      variance = variance < T(0) ? T(0) : variance;  // rounding may take it below
    }
    T change = g[i] / (square_root(variance) + c.epsilon);
    if constexpr (momentum) {
      buffer[i] = c.momentum * buffer[i] + change;
      change = buffer[i];
    }
    w[i] -= c.learning_rate * change;
  }
}

template <class T>
void rmsprop(const OptimizerStep<T>& step, T* w, const T* g, T* const* state, index_t n) {
  if (step.has_momentum) {
    return step.centered ? rmsprop_loop<T, true, true>(step, w, g, state, n)
                         : rmsprop_loop<T, true, false>(step, w, g, state, n);
  }
  return step.centered ? rmsprop_loop<T, false, true>(step, w, g, state, n)
                       : rmsprop_loop<T, false, false>(step, w, g, state, n);
}

// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
// w -= learning_rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).
// Kingma & Ba, arXiv:1412.6980. The step's learning rate already carries its correction.
template <class T>
void adam(const OptimizerStep<T>& step, T* w, const T* g, T* const* state, index_t n) {
  T* m = state[0];
  T* v = state[1];
  const OptimizerStep<T> c = step;
  PYMLP_VECTOR_LOOP
  for (index_t i = 0; i < n; ++i) {
    m[i] = c.beta1 * m[i] + c.one_minus_beta1 * g[i];
    v[i] = c.beta2 * v[i] + c.one_minus_beta2 * (g[i] * g[i]);
    w[i] -= c.learning_rate * m[i] / (square_root(v[i]) * c.second_moment_scale + c.epsilon);
  }
}

template <class T>
void optimizer_update(const OptimizerStep<T>& step, T* w, const T* g, T* const* state, index_t n) {
  switch (step.kind) {
    case OptimizerKind::sgd:
      return sgd(step, w, g, state, n);
    case OptimizerKind::rmsprop:
      return rmsprop(step, w, g, state, n);
    case OptimizerKind::adam:
      return adam(step, w, g, state, n);
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
