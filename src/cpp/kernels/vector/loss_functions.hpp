// The formulas of the losses, on numbers; the loops over samples and outputs are in loss.cpp and
// loss_groups.hpp. Those named after an activation take z instead of a. Included only by loss.cpp.
#pragma once

#include <limits>

#include "base/view.hpp"
#include "kernels/vector/math/math.hpp"

namespace pymlp {
namespace {

// log(0) would be infinite: a probability below the smallest normal number counts as that number.
template <class T>
PYMLP_INLINE T at_least_tiny(T probability) {
  return math::at_least(std::numeric_limits<T>::min(), probability);
}

// ---------------------------------------------------------------- over all outputs of a sample

// z_j - largest, and 0 for the largest itself, infinite or not.
template <class T>
PYMLP_INLINE T shifted(T z, T largest) {
  return z == largest ? T(0) : z - largest;
}

// loss = -sum_j y_j log softmax(z)_j, d(loss)/dz = softmax(z) sum(y) - y, from e_j =
// exp(shifted(z_j)), its sum, cross = sum_j y_j shifted(z_j), and total = sum_j y_j.
struct SoftmaxCrossEntropy {
  template <class T>
  PYMLP_INLINE static T loss(T sum, T total, T cross) {
    return total * math::log(sum) - cross;
  }
  template <class T>
  PYMLP_INLINE static T factor(T sum, T total) {
    return total / sum;
  }
  template <class T>
  PYMLP_INLINE static T gradient(T scale, T factor, T e, T y) {
    return scale * (factor * e - y);
  }
};

// loss = -sum_j y_j log a_j, d(loss)/da = -y / a.
struct CrossEntropy {
  template <class T>
  PYMLP_INLINE static T log(T a) {
    return math::log(at_least_tiny(a));
  }
  template <class T>
  PYMLP_INLINE static T gradient(T scale, T y, T a) {
    return -scale * y / at_least_tiny(a);
  }
};

// ---------------------------------------------------------------- means over outputs

// value(a, y) of one output above its slope d(value)/da.
template <class T>
struct BinaryCrossEntropy {
  PYMLP_INLINE T value(T a, T y) const {
    return -(y * math::log(at_least_tiny(a)) + (T(1) - y) * math::log(at_least_tiny(T(1) - a)));
  }
  PYMLP_INLINE T slope(T a, T y) const {
    return (T(1) - y) / at_least_tiny(T(1) - a) - y / at_least_tiny(a);
  }
};

// softplus(z) - y z; for z > 0 as (1 - y) z + softplus(-z): nothing large cancels.
template <class T>
struct SigmoidBinaryCrossEntropy {
  PYMLP_INLINE T value(T z, T y) const {
    const T factor = z > T(0) ? T(1) - y : -y;
    const T linear = factor == T(0) ? T(0) : factor * z;
    return linear + math::softplus(math::minus_abs(z));
  }
  // sigmoid(z) - y = (1 - y) - sigmoid(-z): a small difference keeps its digits on either side.
  PYMLP_INLINE T slope(T z, T y) const {
    const T smaller = math::sigmoid(math::minus_abs(z));
    return z > T(0) ? (T(1) - y) - smaller : smaller - y;
  }
};

template <class T>
struct SquaredError {
  PYMLP_INLINE T value(T a, T y) const { return (a - y) * (a - y); }
  PYMLP_INLINE T slope(T a, T y) const { return T(2) * (a - y); }
};

template <class T>
struct AbsoluteError {
  PYMLP_INLINE T value(T a, T y) const { return math::abs(a - y); }
  PYMLP_INLINE T slope(T a, T y) const { return a > y ? T(1) : a < y ? T(-1) : a - y; }
};

// d^2 / 2 up to delta, linear behind. Huber, Annals of Mathematical Statistics 35, 1964.
template <class T>
struct Huber {
  T delta;
  PYMLP_INLINE T value(T a, T y) const {
    const T d = math::abs(a - y);
    return d <= delta ? T(0.5) * d * d : delta * (d - T(0.5) * delta);
  }
  PYMLP_INLINE T slope(T a, T y) const { return math::between(-delta, delta, a - y); }
};

// log cosh d: near 0 from cosh d - 1 = (e^d - 1)^2 / (2 e^d), further out as d + log(1 + e^-2d) -
// log 2.
template <class T>
struct LogCosh {
  PYMLP_INLINE T value(T a, T y) const {
    const T d = math::abs(a - y);
    const T near = math::at_most(T(1), d);
    const T grown = math::expm1(near);
    const T small = math::log1p(T(0.5) * grown * grown / (grown + T(1)));
    const T large = d + (math::log1p(math::exp(T(-2) * d)) - T(0.69314718055994530942));
    return d < T(1) ? small : large;
  }
  PYMLP_INLINE T slope(T a, T y) const { return math::tanh(a - y); }
};

// a - y log a: minus the log-likelihood of the count y under the mean a, but for a constant.
template <class T>
struct Poisson {
  PYMLP_INLINE T value(T a, T y) const {
    return a - (y == T(0) ? T(0) : y * math::log(at_least_tiny(a)));
  }
  // Finite, so that an activation whose slope is 0 stops it.
  PYMLP_INLINE T slope(T a, T y) const {
    return math::at_least(std::numeric_limits<T>::lowest(), T(1) - y / at_least_tiny(a));
  }
};

template <class T>
struct ExpPoisson {
  PYMLP_INLINE T value(T z, T y) const { return math::exp(z) - (y == T(0) ? T(0) : y * z); }
  PYMLP_INLINE T slope(T z, T y) const { return math::exp(z) - y; }
};

// The q-th quantile minimises its mean. Koenker & Bassett, Econometrica 46, 1978.
template <class T>
struct Quantile {
  T q;
  PYMLP_INLINE T value(T a, T y) const {
    const T d = y - a;
    return d > T(0) ? q * d : (q - T(1)) * d;
  }
  PYMLP_INLINE T slope(T a, T y) const { return y > a ? -q : y < a ? T(1) - q : a - y; }
};

// One level for each output, or the same for all.
struct Quantiles {
  const double* levels;
  index_t step;
};

// The function of one output.
template <class T, class Function>
PYMLP_INLINE const Function& of_output(const Function& function, index_t) {
  return function;
}
template <class T>
PYMLP_INLINE Quantile<T> of_output(const Quantiles& quantiles, index_t j) {
  return {static_cast<T>(quantiles.levels[j * quantiles.step])};
}

// max(0, 1 - y a), y being -1 or 1.
template <class T>
struct Hinge {
  PYMLP_INLINE T value(T a, T y) const { return math::at_least(T(0), T(1) - y * a); }
  PYMLP_INLINE T slope(T a, T y) const { return T(1) - y * a > T(0) ? -y : T(0); }
};

}  // namespace
}  // namespace pymlp
