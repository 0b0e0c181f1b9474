// Losses of single samples and their gradients, scaled by scale_i.
// Shapes: outputs (logits z or activations a) and gradient (m, k), losses and scale (m,).
#include "kernels/loss.hpp"

#include "kernels/table.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/loss_arguments.hpp"
#include "kernels/vector/loss_functions.hpp"
#include "kernels/vector/loss_groups.hpp"
#include "kernels/vector/math/math.hpp"

namespace pymlp {
namespace {

// One sample's target, as the row y of a matrix: a class label is its one-hot row.
template <class T>
struct LabelRow {
  index_t label;

  PYMLP_INLINE T operator[](index_t j) const { return j == label ? T(1) : T(0); }
  PYMLP_INLINE T total(index_t) const { return T(1); }
  template <class Term>
  PYMLP_INLINE T dot(index_t, Term term) const {
    return term(label);
  }
};

// A target of 0 leaves its term out, were it infinite.
template <class T, class Row, class Term>
PYMLP_INLINE T dot_of(const Row& y, index_t k, Term term) {
  T sum = 0;
  for (index_t j = 0; j < k; ++j) sum += y[j] == T(0) ? T(0) : y[j] * term(j);
  return sum;
}

template <class T>
struct ValueRow {
  const T* y;

  PYMLP_INLINE T operator[](index_t j) const { return y[j]; }
  PYMLP_INLINE T total(index_t k) const { return sum_of(y, k); }
  template <class Term>
  PYMLP_INLINE T dot(index_t k, Term term) const {
    return dot_of<T>(*this, k, term);
  }
};

template <class T, class Row>
struct SmoothedRow {
  Row y;
  Smoothing<T> s;

  PYMLP_INLINE T operator[](index_t j) const { return s.kept * y[j] + s.added; }
  PYMLP_INLINE T total(index_t k) const {
    return s.kept * y.total(k) + static_cast<T>(k) * s.added;
  }
  template <class Term>
  PYMLP_INLINE T dot(index_t k, Term term) const {
    return dot_of<T>(*this, k, term);
  }
};

// body(i, y) for every sample, y its target row, whose classes share what smoothing adds.
template <class T, class Body>
PYMLP_INLINE void for_samples(const LossArguments<T>& of, Body body) {
  const Smoothing<T> smoothing(of.loss, of.n_outputs());
  const bool smooth = of.loss.label_smoothing != 0.0;
  for (index_t i = 0; i < of.outputs.rows; ++i) {
    if (of.targets.labels != nullptr) {
      const LabelRow<T> y{of.targets.labels[i]};
      smooth ? body(i, SmoothedRow<T, LabelRow<T>>{y, smoothing}) : body(i, y);
    } else {
      const ValueRow<T> y{of.targets.values.row(i)};
      smooth ? body(i, SmoothedRow<T, ValueRow<T>>{y, smoothing}) : body(i, y);
    }
  }
}

// sum_j y_j log y_j, what a divergence has beyond a cross-entropy.
template <class T, class Row>
PYMLP_INLINE T minus_entropy(const Row& y, index_t k) {
  return y.dot(k, [y](index_t j) { return math::log(y[j]); });
}

template <class T, bool divergence>
void softmax_cross_entropy(const LossArguments<T>& of) {
  const index_t k = of.n_outputs();
  if (k <= kMostGroupColumns) return softmax_cross_entropy_of_groups<T, divergence>(of);
  for_samples(of, [&](index_t i, auto y) {
    const T* z = of.outputs.row(i);
    T* g = of.gradient.row(i);
    const T largest = largest_of(z, k);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = math::exp(shifted(z[j], largest));
    const T sum = sum_of(g, k);
    const T total = y.total(k);
    const T cross = y.dot(k, [&](index_t j) { return shifted(z[j], largest); });
    of.losses[i] = SoftmaxCrossEntropy::loss(sum, total, cross);
    if constexpr (divergence) of.losses[i] += minus_entropy<T>(y, k);
    const T factor = SoftmaxCrossEntropy::factor(sum, total);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) {
      g[j] = SoftmaxCrossEntropy::gradient(of.scale[i], factor, g[j], y[j]);
    }
  });
}

template <class T, bool divergence>
void cross_entropy(const LossArguments<T>& of) {
  const index_t k = of.n_outputs();
  if (k <= kMostGroupColumns) return cross_entropy_of_groups<T, divergence>(of);
  for_samples(of, [&](index_t i, auto y) {
    const T* a = of.outputs.row(i);
    T* g = of.gradient.row(i);
    of.losses[i] = -y.dot(k, [&](index_t j) { return CrossEntropy::log(a[j]); });
    if constexpr (divergence) of.losses[i] += minus_entropy<T>(y, k);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = CrossEntropy::gradient(of.scale[i], y[j], a[j]);
  });
}

// The targets of sample i, of its label or smoothed.
template <class T>
__attribute__((noinline)) const T* made_targets(const LossArguments<T>& of, index_t i, T* made) {
  const Smoothing<T> smoothing(of.loss, kYesOrNo);
  const bool smooth = of.loss.label_smoothing != 0.0;
  for (index_t j = 0; j < of.n_outputs(); ++j) {
    const T y = of.targets.labels == nullptr ? of.targets.values.row(i)[j]
                : j == of.targets.labels[i]  ? T(1)
                                             : T(0);
    made[j] = smooth ? smoothing.kept * y + smoothing.added : y;
  }
  return made;
}

// loss = mean_j value(a_j, y_j). Targets that are made lie where the result of a loop will, so that
// there is one loop of each function, whatever the targets are.
template <class T, class Function>
void mean_over_outputs(const LossArguments<T>& of, Function function) {
  const index_t k = of.n_outputs();
  if (k <= kMostGroupColumns) return mean_over_outputs_of_groups(of, function);
  const bool as_given = of.targets.labels == nullptr && of.loss.label_smoothing == 0.0;
  for (index_t i = 0; i < of.outputs.rows; ++i) {
    const T* a = of.outputs.row(i);
    T* g = of.gradient.row(i);
    const T* y = as_given ? of.targets.values.row(i) : made_targets(of, i, g);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = of_output<T>(function, j).value(a[j], y[j]);
    of.losses[i] = sum_of(g, k) / static_cast<T>(k);
    const T factor = of.scale[i] / static_cast<T>(k);
    if (!as_given) made_targets(of, i, g);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = factor * of_output<T>(function, j).slope(a[j], y[j]);
  }
}

template <class T>
void loss_from_logits(const LossArguments<T>& arguments) {
  switch (arguments.loss.kind) {
    case LossKind::cross_entropy:
      return softmax_cross_entropy<T, false>(arguments);
    case LossKind::kl_divergence:
      return softmax_cross_entropy<T, true>(arguments);
    case LossKind::binary_cross_entropy:
      return mean_over_outputs(arguments, SigmoidBinaryCrossEntropy<T>{});
    case LossKind::poisson:
      return mean_over_outputs(arguments, ExpPoisson<T>{});
    default:
      return;  // computed_from_logits() names no other
  }
}

template <class T>
void loss_from_activations(const LossArguments<T>& arguments) {
  const std::span<const double> parameters = arguments.loss.parameters;
  switch (arguments.loss.kind) {
    case LossKind::cross_entropy:
      return cross_entropy<T, false>(arguments);
    case LossKind::kl_divergence:
      return cross_entropy<T, true>(arguments);
    case LossKind::binary_cross_entropy:
      return mean_over_outputs(arguments, BinaryCrossEntropy<T>{});
    case LossKind::mse:
      return mean_over_outputs(arguments, SquaredError<T>{});
    case LossKind::mae:
      return mean_over_outputs(arguments, AbsoluteError<T>{});
    case LossKind::huber:
      return mean_over_outputs(arguments, Huber<T>{static_cast<T>(parameters.front())});
    case LossKind::log_cosh:
      return mean_over_outputs(arguments, LogCosh<T>{});
    case LossKind::poisson:
      return mean_over_outputs(arguments, Poisson<T>{});
    case LossKind::quantile:
      return mean_over_outputs(arguments, Quantiles{parameters.data(), parameters.size() > 1});
    case LossKind::hinge:
      return mean_over_outputs(arguments, Hinge<T>{});
    case LossKind::custom:  // called by loss_and_gradient(), never through the table
      return;
  }
}

template <class T>
void loss_of_rows(T* losses, MatrixView<T> gradient, ConstMatrixView<T> outputs,
                  const Targets<T>& targets, const T* scale, const Loss& loss, bool from_logits) {
  const LossArguments<T> arguments{losses, gradient, outputs, targets, scale, loss};
  from_logits ? loss_from_logits(arguments) : loss_from_activations(arguments);
}

template <class T>
void loss_of_lanes(T* losses, const MatrixView<T>& gradient, const ConstMatrixView<T>& outputs,
                   const Targets<T>& targets, const T* scale, const Loss& loss, bool from_logits) {
  const LossArguments<T> arguments{losses, gradient, outputs, targets, scale, loss, true};
  from_logits ? loss_from_logits(arguments) : loss_from_activations(arguments);
}

}  // namespace

template <Isa isa, class T>
void add_losses(Kernels<T>& table) {
  table.loss = loss_of_rows<T>;
  table.lane_loss = loss_of_lanes<T>;
}

template void add_losses<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_losses<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
