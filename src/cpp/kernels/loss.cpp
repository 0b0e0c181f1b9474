// Losses of single samples and their gradients, scaled by scale_i.
// Shapes: outputs (logits z or activations a) and gradient (m, k), losses and scale (m,).
#include "kernels/loss.hpp"

#include <limits>

#include "kernels/loops.hpp"
#include "kernels/math.hpp"
#include "kernels/table.hpp"

namespace pymlp {
namespace {

// z_j - largest, and 0 for the largest itself, infinite or not.
template <class T>
PYMLP_INLINE T shifted(T z, T largest) {
  return z == largest ? T(0) : z - largest;
}

// log(0) would be infinite: a probability below the smallest normal number counts as that number.
template <class T>
PYMLP_INLINE T at_least_tiny(T probability) {
  constexpr T tiny = std::numeric_limits<T>::min();
  return probability < tiny ? tiny : probability;
}

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

template <class T>
struct ValueRow {
  const T* y;

  PYMLP_INLINE T operator[](index_t j) const { return y[j]; }
  PYMLP_INLINE T total(index_t k) const { return sum_of(y, k); }
  // A target of 0 leaves its term out, were it infinite.
  template <class Term>
  PYMLP_INLINE T dot(index_t k, Term term) const {
    T sum = 0;
    for (index_t j = 0; j < k; ++j) sum += y[j] == T(0) ? T(0) : y[j] * term(j);
    return sum;
  }
};

template <class T, class Body>
PYMLP_INLINE void for_samples(const Targets<T>& targets, index_t rows, Body body) {
  if (targets.labels != nullptr) {
    for (index_t i = 0; i < rows; ++i) body(i, LabelRow<T>{targets.labels[i]});
  } else {
    for (index_t i = 0; i < rows; ++i) body(i, ValueRow<T>{targets.values.row(i)});
  }
}

// loss = -sum_j y_j log softmax(z)_j, d(loss)/dz = softmax(z) sum(y) - y.
template <class T>
void softmax_cross_entropy(T* losses, MatrixView<T> gradient, ConstMatrixView<T> logits,
                           const Targets<T>& targets, const T* scale) {
  const index_t k = logits.cols;
  for_samples(targets, logits.rows, [=](index_t i, auto y) {
    const T* z = logits.row(i);
    T* g = gradient.row(i);
    const T largest = largest_of(z, k);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = math::exp(shifted(z[j], largest));
    const T sum = sum_of(g, k);
    const T total = y.total(k);
    losses[i] =
        total * math::log(sum) - y.dot(k, [=](index_t j) { return shifted(z[j], largest); });
    const T factor = total / sum;
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = scale[i] * (factor * g[j] - y[j]);
  });
}

// loss = -mean_j [y log a + (1 - y) log(1 - a)] = mean_j [softplus(z) - y z], a = sigmoid(z);
// d(loss)/dz = (a - y) / k.
template <class T>
void sigmoid_binary_cross_entropy(T* losses, MatrixView<T> gradient, ConstMatrixView<T> logits,
                                  const Targets<T>& targets, const T* scale) {
  const index_t k = logits.cols;
  for_samples(targets, logits.rows, [=](index_t i, auto y) {
    const T* z = logits.row(i);
    T* g = gradient.row(i);
    // For z > 0 as (1 - y) z + softplus(-z): nothing large cancels.
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) {
      const bool positive = z[j] > T(0);
      const T slope = positive ? T(1) - y[j] : -y[j];
      const T linear = slope == T(0) ? T(0) : slope * z[j];
      g[j] = linear + math::softplus(positive ? -z[j] : z[j]);
    }
    losses[i] = sum_of(g, k) / static_cast<T>(k);
    const T factor = scale[i] / static_cast<T>(k);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = factor * (math::sigmoid(z[j]) - y[j]);
  });
}

// loss = -sum_j y_j log a_j, d(loss)/da = -y / a.
template <class T>
void cross_entropy(T* losses, MatrixView<T> gradient, ConstMatrixView<T> a,
                   const Targets<T>& targets, const T* scale) {
  const index_t k = a.cols;
  for_samples(targets, a.rows, [=](index_t i, auto y) {
    const T* ai = a.row(i);
    T* g = gradient.row(i);
    losses[i] = -y.dot(k, [=](index_t j) { return math::log(at_least_tiny(ai[j])); });
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = -scale[i] * y[j] / at_least_tiny(ai[j]);
  });
}

// loss = -mean_j [y log a + (1 - y) log(1 - a)], d(loss)/da = ((1 - y) / (1 - a) - y / a) / k.
template <class T>
void binary_cross_entropy(T* losses, MatrixView<T> gradient, ConstMatrixView<T> a,
                          const Targets<T>& targets, const T* scale) {
  const index_t k = a.cols;
  for_samples(targets, a.rows, [=](index_t i, auto y) {
    const T* ai = a.row(i);
    T* g = gradient.row(i);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) {
      g[j] = -(y[j] * math::log(at_least_tiny(ai[j])) +
               (T(1) - y[j]) * math::log(at_least_tiny(T(1) - ai[j])));
    }
    losses[i] = sum_of(g, k) / static_cast<T>(k);
    const T factor = scale[i] / static_cast<T>(k);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) {
      g[j] = factor * ((T(1) - y[j]) / at_least_tiny(T(1) - ai[j]) - y[j] / at_least_tiny(ai[j]));
    }
  });
}

// loss = mean_j (a - y)^2, d(loss)/da = 2 (a - y) / k.
template <class T>
void mse(T* losses, MatrixView<T> gradient, ConstMatrixView<T> a, const Targets<T>& targets,
         const T* scale) {
  const index_t k = a.cols;
  for_samples(targets, a.rows, [=](index_t i, auto y) {
    const T* ai = a.row(i);
    T* g = gradient.row(i);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = (ai[j] - y[j]) * (ai[j] - y[j]);
    losses[i] = sum_of(g, k) / static_cast<T>(k);
    const T factor = T(2) * scale[i] / static_cast<T>(k);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < k; ++j) g[j] = factor * (ai[j] - y[j]);
  });
}

}  // namespace

template <Isa isa, class T>
void add_losses(Kernels<T>& table) {
  table.softmax_cross_entropy = softmax_cross_entropy<T>;
  table.sigmoid_binary_cross_entropy = sigmoid_binary_cross_entropy<T>;
  table.cross_entropy = cross_entropy<T>;
  table.binary_cross_entropy = binary_cross_entropy<T>;
  table.mse = mse<T>;
}

template void add_losses<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_losses<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
