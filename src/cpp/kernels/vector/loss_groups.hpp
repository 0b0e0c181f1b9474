// The losses of narrow outputs, groups of rows at a time. Included only by loss.cpp.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/vector/loss_arguments.hpp"
#include "kernels/vector/loss_functions.hpp"
#include "kernels/vector/row_groups.hpp"

namespace pymlp {
namespace {

// A class label is its one-hot row.
template <class T, index_t n>
PYMLP_INLINE void read_labels(RowGroup<T, n>& y, index_t k, const std::int32_t* labels,
                              const GroupRows& rows) {
  Lanes<T, n> label;
  label.read(labels, 1, rows);
  for (index_t j = 0; j < k; ++j) {
    const T column = static_cast<T>(j);
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < n; ++l) y[j][l] = label[l] == column ? T(1) : T(0);
  }
}

template <class T, index_t n>
PYMLP_INLINE void read_targets(RowGroup<T, n>& y, const LossArguments<T>& of, const GroupRows& rows,
                               index_t classes) {
  const index_t k = of.n_outputs();
  if (of.targets.labels != nullptr) {
    read_labels(y, k, of.targets.labels, rows);
  } else {
    y.read(of.targets.values, rows, of.in_lanes);
  }
  if (of.loss.label_smoothing == 0.0) return;
  const Smoothing<T> smoothing(of.loss, classes);
  for (index_t j = 0; j < k; ++j) {
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < n; ++l) y[j][l] = smoothing.kept * y[j][l] + smoothing.added;
  }
}

// body(number of lanes, rows): of samples that are lanes already, many at a time.
template <class T, class Body>
PYMLP_INLINE void for_wide_groups(const LossArguments<T>& of, Body body) {
  constexpr index_t many = kManyLanes<T>;
  index_t first = 0;
  for (; of.in_lanes && first + many <= of.n_samples(); first += many) {
    body(std::integral_constant<index_t, many>(), GroupRows{first, many});
  }
  for (; first < of.n_samples(); first += kLanes) {
    body(std::integral_constant<index_t, kLanes>(),
         GroupRows{first, std::min(of.n_samples() - first, kLanes)});
  }
}

// x, and 0 where the target y is 0. By bits: of a choice that reads x on one side alone, GCC 12
// makes masked loads, those of the second vector with the mask of the first.
template <class T>
PYMLP_INLINE T where_asked(T y, T x) {
  const math::Bits<T> all = -static_cast<math::Bits<T>>(y != T(0));
  return math::from_bits<T>(math::bits_of(x) & all);
}

// sum_j y_j x_j. A target of 0 leaves its term out, were it infinite.
template <class T, index_t n>
PYMLP_INLINE Lanes<T, n> dot_of(const RowGroup<T, n>& y, const RowGroup<T, n>& x, index_t k) {
  Lanes<T, n> sum{};
  for (index_t j = 0; j < k; ++j) {
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < n; ++l) sum[l] += y[j][l] * where_asked(y[j][l], x[j][l]);
  }
  return sum;
}

// losses += sum_j y_j log y_j, what a divergence has beyond a cross-entropy.
template <class T, index_t n>
PYMLP_INLINE void subtract_entropy(Lanes<T, n>& losses, const RowGroup<T, n>& y, index_t k) {
  RowGroup<T, n> logs;
  for (index_t j = 0; j < k; ++j) {
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < n; ++l) logs[j][l] = math::log(y[j][l]);
  }
  const Lanes<T, n> sum = dot_of(y, logs, k);
  for (index_t l = 0; l < n; ++l) losses[l] += sum[l];
}

template <class T, bool divergence>
void softmax_cross_entropy_of_groups(const LossArguments<T>& of) {
  const index_t k = of.n_outputs();
  for_wide_groups(of, [&](auto lanes, const GroupRows& rows) {
    constexpr index_t n = decltype(lanes)::value;
    RowGroup<T, n> y, z, e;
    read_targets(y, of, rows, k);
    z.read(of.outputs, rows, of.in_lanes);
    subtract_largest(z, k);
    const Lanes<T, n> sum = exp_and_sum(e, z, k);
    const Lanes<T, n> total = sum_of(y, k);
    const Lanes<T, n> cross = dot_of(y, z, k);
    Lanes<T, n> losses, factor, scale;
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < n; ++l) {
      losses[l] = SoftmaxCrossEntropy::loss(sum[l], total[l], cross[l]);
      factor[l] = SoftmaxCrossEntropy::factor(sum[l], total[l]);
    }
    if constexpr (divergence) subtract_entropy(losses, y, k);
    losses.write(of.losses, 1, rows);
    scale.read(of.scale, 1, rows);
    for (index_t j = 0; j < k; ++j) {
      PYMLP_VECTOR_LOOP
      for (index_t l = 0; l < n; ++l) {
        e[j][l] = SoftmaxCrossEntropy::gradient(scale[l], factor[l], e[j][l], y[j][l]);
      }
    }
    e.write(of.gradient, rows, of.in_lanes);
  });
}

template <class T, bool divergence>
void cross_entropy_of_groups(const LossArguments<T>& of) {
  const index_t k = of.n_outputs();
  for_groups(of.n_samples(), [&](const GroupRows& rows) {
    RowGroup<T> y, a, logs;
    read_targets(y, of, rows, k);
    a.read(of.outputs, rows, of.in_lanes);
    Lanes<T> scale;
    scale.read(of.scale, 1, rows);
    for (index_t j = 0; j < k; ++j) {
      PYMLP_VECTOR_LOOP
      for (index_t l = 0; l < kLanes; ++l) {
        logs[j][l] = CrossEntropy::log(a[j][l]);
        a[j][l] = CrossEntropy::gradient(scale[l], y[j][l], a[j][l]);
      }
    }
    a.write(of.gradient, rows, of.in_lanes);
    Lanes<T> losses = dot_of(y, logs, k);
    for (index_t l = 0; l < kLanes; ++l) losses[l] = -losses[l];
    if constexpr (divergence) subtract_entropy(losses, y, k);
    losses.write(of.losses, 1, rows);
  });
}

// loss = mean_j value(a_j, y_j).
template <class T, class Function>
void mean_over_outputs_of_groups(const LossArguments<T>& of, Function function) {
  const index_t k = of.n_outputs();
  const T outputs = static_cast<T>(k);
  for_groups(of.n_samples(), [&](const GroupRows& rows) {
    RowGroup<T> y, a;
    read_targets(y, of, rows, kYesOrNo);
    a.read(of.outputs, rows, of.in_lanes);
    Lanes<T> factor, losses{};
    factor.read(of.scale, 1, rows);
    for (index_t l = 0; l < kLanes; ++l) factor[l] /= outputs;
    for (index_t j = 0; j < k; ++j) {
      const auto one = of_output<T>(function, j);
      PYMLP_VECTOR_LOOP
      for (index_t l = 0; l < kLanes; ++l) {
        losses[l] += one.value(a[j][l], y[j][l]);
        a[j][l] = factor[l] * one.slope(a[j][l], y[j][l]);
      }
    }
    for (index_t l = 0; l < kLanes; ++l) losses[l] /= outputs;
    losses.write(of.losses, 1, rows);
    a.write(of.gradient, rows, of.in_lanes);
  });
}

}  // namespace
}  // namespace pymlp
