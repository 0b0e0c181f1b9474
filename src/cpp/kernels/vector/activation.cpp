// Activations, each forward above its backward. Shapes: z, a, dz, da all (m, n).
#include "kernels/activation.hpp"

#include "kernels/table.hpp"
#include "kernels/vector/activation_kinds.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/math/math.hpp"
#include "kernels/vector/row_groups.hpp"

namespace pymlp {
namespace {

// dz = da * slopes, which lie where z was.
template <class T>
void multiply_elements(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> slopes) {
  for_rows(
      [](index_t n, T* dz, const T* da, const T* s) {
        PYMLP_VECTOR_LOOP
        for (index_t j = 0; j < n; ++j) dz[j] = da[j] * s[j];
      },
      dz, da, slopes);
}

template <class T, class Function>
PYMLP_INLINE void map_with_slope(MatrixView<T> a, MatrixView<T> z, Function function) {
  for_rows(
      [function](index_t n, T* a, T* z) {
        PYMLP_VECTOR_LOOP
        for (index_t j = 0; j < n; ++j) {
          const auto [value, slope] = function.at(z[j]);
          a[j] = value;
          z[j] = slope;
        }
      },
      a, z);
}

template <class T, class Function>
PYMLP_INLINE void map(MatrixView<T> a, ConstMatrixView<T> z, Function function) {
  for_rows(
      [function](index_t n, T* a, const T* z) {
        PYMLP_VECTOR_LOOP
        for (index_t j = 0; j < n; ++j) a[j] = function.value(z[j]);
      },
      a, z);
}

// dz = da * slope(source): the source is a where g' can be had from it, z where it can not.
template <class T, class Function>
PYMLP_INLINE void chain(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> source,
                        Function function) {
  for_rows(
      [function](index_t n, T* dz, const T* da, const T* s) {
        PYMLP_VECTOR_LOOP
        for (index_t j = 0; j < n; ++j) dz[j] = da[j] * function.slope(s[j]);
      },
      dz, da, source);
}

// A few rows are sooner done one by one, in the same order of their sums.
template <class T>
PYMLP_INLINE bool worth_grouping(const ConstMatrixView<T>& z) {
  return z.cols <= kMostGroupColumns && z.rows > 2;
}

// Of each row, or of each column of a matrix in lanes.
template <class T>
void softmax_of_groups(MatrixView<T> a, ConstMatrixView<T> z, bool in_lanes) {
  const index_t k = in_lanes ? z.rows : z.cols;
  for_groups(in_lanes ? z.cols : z.rows, [&](const GroupRows& rows) {
    RowGroup<T> group;
    group.read(z, rows, in_lanes);
    subtract_largest(group, k);
    const Lanes<T> sum = exp_and_sum(group, group, k);
    for (index_t j = 0; j < k; ++j) {
      PYMLP_VECTOR_LOOP
      for (index_t l = 0; l < kLanes; ++l) group[j][l] /= sum[l];
    }
    group.write(a, rows, in_lanes);
  });
}

// The largest entry counts as e^0 without a subtraction, so that infinite logits give the limit.
template <class T>
void softmax_forward(MatrixView<T> a, ConstMatrixView<T> z) {
  if (worth_grouping(z)) return softmax_of_groups(a, z, false);
  for (index_t i = 0; i < z.rows; ++i) {
    const T* zi = z.row(i);
    T* ai = a.row(i);
    const T largest = largest_of(zi, z.cols);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < z.cols; ++j) {
      ai[j] = zi[j] == largest ? T(1) : math::exp(zi[j] - largest);
    }
    const T sum = z.cols <= kMostGroupColumns ? sum_in_order(ai, z.cols) : sum_of(ai, z.cols);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < z.cols; ++j) ai[j] /= sum;
  }
}

template <class T>
void softmax_backward(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> a) {
  for (index_t i = 0; i < a.rows; ++i) {
    const T* ai = a.row(i);
    const T* dai = da.row(i);
    T* dzi = dz.row(i);
    T dot = 0;
    for (index_t j = 0; j < a.cols; ++j) dot = math::fma(dai[j], ai[j], dot);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < a.cols; ++j) dzi[j] = ai[j] * (dai[j] - dot);
  }
}

template <class T>
void log_softmax_of_groups(MatrixView<T> a, ConstMatrixView<T> z, bool in_lanes) {
  const index_t k = in_lanes ? z.rows : z.cols;
  for_groups(in_lanes ? z.cols : z.rows, [&](const GroupRows& rows) {
    RowGroup<T> group, e;
    group.read(z, rows, in_lanes);
    subtract_largest(group, k);
    Lanes<T> log_sum = exp_and_sum(e, group, k);
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < kLanes; ++l) log_sum[l] = math::log(log_sum[l]);
    for (index_t j = 0; j < k; ++j) {
      PYMLP_VECTOR_LOOP
      for (index_t l = 0; l < kLanes; ++l) group[j][l] -= log_sum[l];
    }
    group.write(a, rows, in_lanes);
  });
}

// The limit of z - log(sum), and its difference to the largest entry is 0, infinite or not.
template <class T>
void log_softmax_forward(MatrixView<T> a, ConstMatrixView<T> z) {
  if (worth_grouping(z)) return log_softmax_of_groups(a, z, false);
  for (index_t i = 0; i < z.rows; ++i) {
    const T* zi = z.row(i);
    T* ai = a.row(i);
    const T largest = largest_of(zi, z.cols);
    T sum = 0;
    for (index_t j = 0; j < z.cols; ++j) {
      sum += zi[j] == largest ? T(1) : math::exp(zi[j] - largest);
    }
    const T log_sum = math::log(sum);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < z.cols; ++j) {
      ai[j] = (zi[j] == largest ? T(0) : zi[j] - largest) - log_sum;
    }
  }
}

template <class T>
void log_softmax_backward_of_groups(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> a,
                                    bool in_lanes) {
  const index_t k = in_lanes ? a.rows : a.cols;
  for_groups(in_lanes ? a.cols : a.rows, [&](const GroupRows& rows) {
    RowGroup<T> d, group;
    d.read(da, rows, in_lanes);
    group.read(a, rows, in_lanes);
    const Lanes<T> sum = sum_of(d, k);
    for (index_t j = 0; j < k; ++j) {
      PYMLP_VECTOR_LOOP
      for (index_t l = 0; l < kLanes; ++l) d[j][l] -= math::exp(group[j][l]) * sum[l];
    }
    d.write(dz, rows, in_lanes);
  });
}

// dz = da - softmax(z) sum(da), softmax(z) = e^a.
template <class T>
void log_softmax_backward(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> a) {
  if (a.cols < kLanes) return log_softmax_backward_of_groups(dz, da, a, false);
  for (index_t i = 0; i < a.rows; ++i) {
    const T* ai = a.row(i);
    const T* dai = da.row(i);
    T* dzi = dz.row(i);
    const T sum = sum_of(dai, a.cols);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < a.cols; ++j) dzi[j] = dai[j] - math::exp(ai[j]) * sum;
  }
}

template <class T>
void activation_forward(MatrixView<T> a, ConstMatrixView<T> z, const Activation& g) {
  if (g.kind == ActivationKind::linear && a.data == z.data) return;
  if (g.kind == ActivationKind::softmax) return softmax_forward(a, z);
  if (g.kind == ActivationKind::log_softmax) return log_softmax_forward(a, z);
  with_function<T>(g, [&](auto function) {
    map(a, z, function);
    return true;
  });
}

template <class T>
void activation_with_slope(MatrixView<T> a, MatrixView<T> z, const Activation& g) {
  with_function<T>(g, [&](auto function) {
    if constexpr (keeps_slope(decltype(function)::kind)) {
      map_with_slope(a, z, function);
    }
    return true;
  });
}

template <class T>
void activation_backward(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> z,
                         ConstMatrixView<T> a, const Activation& g) {
  if (g.kind == ActivationKind::linear && dz.data == da.data) return;
  if (g.kind == ActivationKind::softmax) return softmax_backward(dz, da, a);
  if (g.kind == ActivationKind::log_softmax) return log_softmax_backward(dz, da, a);
  with_function<T>(g, [&](auto function) {
    constexpr bool source_is_a = !traits_of(decltype(function)::kind).derivative_needs_z;
    chain(dz, da, source_is_a ? a : z, function);
    return true;
  });
}

// ---------------------------------------------------------------- samples as lanes

template <class T>
void lane_activation(const MatrixView<T>& a, const ConstMatrixView<T>& z, const Activation& g) {
  if (g.kind == ActivationKind::softmax) return softmax_of_groups(a, z, true);
  if (g.kind == ActivationKind::log_softmax) return log_softmax_of_groups(a, z, true);
  activation_forward(a, z, g);
}

// In the order of softmax_backward.
template <class T>
void softmax_backward_of_lanes(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> a) {
  for_groups(a.cols, [&](const GroupRows& rows) {
    RowGroup<T> d, group;
    d.read(da, rows, true);
    group.read(a, rows, true);
    Lanes<T> dot{};
    for (index_t j = 0; j < a.rows; ++j) {
      PYMLP_VECTOR_LOOP
      for (index_t l = 0; l < kLanes; ++l) dot[l] = math::fma(d[j][l], group[j][l], dot[l]);
    }
    for (index_t j = 0; j < a.rows; ++j) {
      PYMLP_VECTOR_LOOP
      for (index_t l = 0; l < kLanes; ++l) d[j][l] = group[j][l] * (d[j][l] - dot[l]);
    }
    d.write(dz, rows, true);
  });
}

template <class T>
void lane_activation_backward(const MatrixView<T>& dz, const ConstMatrixView<T>& da,
                              const ConstMatrixView<T>& z, const ConstMatrixView<T>& a,
                              const Activation& g) {
  if (g.kind == ActivationKind::softmax) return softmax_backward_of_lanes(dz, da, a);
  if (g.kind == ActivationKind::log_softmax) return log_softmax_backward_of_groups(dz, da, a, true);
  activation_backward(dz, da, z, a, g);
}

}  // namespace

template <Isa isa, class T>
void add_activations(Kernels<T>& table) {
  table.activation_forward = activation_forward<T>;
  table.activation_with_slope = activation_with_slope<T>;
  table.activation_backward = activation_backward<T>;
  table.multiply_elements = multiply_elements<T>;
  table.lane_activation = lane_activation<T>;
  table.lane_activation_backward = lane_activation_backward<T>;
}

template void add_activations<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_activations<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
