// The kernels of norms, residuals, scales and parametric activations, forth and back.
#pragma once

#include "kernel_numbers.hpp"
#include "kernels/table.hpp"

namespace pymlp::test {

// What the operations of a layer are given: rows, and numbers for each column.
template <class T>
struct LayerNumbers {
  LayerNumbers(const Shape& shape, Kind kind, Random& random)
      : z(shape, kind, random),
        dy(shape, kind, random),
        gain(draw<T>(2 * shape.cols, Kind::ordinary, random)) {}

  Matrix<T> z, dy;
  std::vector<T> gain;  // and behind it the shift

  const T* shift() const { return gain.data() + z.view().cols; }
  std::vector<T> zeros(index_t n) const { return std::vector<T>(static_cast<std::size_t>(n)); }
};

template <class T>
Outcome run_row_norm(const Kernels<T>& table, const LayerNumbers<T>& of, bool centred) {
  const index_t n = of.z.view().cols;
  const T* shift = centred ? of.shift() : nullptr;
  Matrix<T> y = of.z, xhat = of.z, in_place = of.z, d = of.dy;
  std::vector<T> factors = of.zeros(of.z.view().rows), sums = of.zeros(2 * n);
  const MatrixView<T> kept{factors.data(), of.z.view().rows, 1, 1};
  table.row_norm(y.view(), xhat.view(), kept, xhat.view(), of.gain.data(), shift, T(1e-5));
  table.row_norm(in_place.view(), {}, {}, in_place.view(), of.gain.data(), shift, T(1e-5));
  table.row_norm_backward(d.view(), xhat.view(), kept, of.gain.data(), sums.data(),
                          centred ? sums.data() + n : nullptr);
  Outcome outcome;
  for (const Matrix<T>* m : {&y, &xhat, &in_place, &d}) outcome.add(m->numbers());
  outcome.add(factors);
  outcome.add(sums);
  return outcome;
}

template <class T>
Outcome run_column_norm(const Kernels<T>& table, const LayerNumbers<T>& of) {
  const index_t n = of.z.view().cols;
  std::vector<T> moments = of.zeros(2 * n), sums = of.zeros(2 * n);
  table.column_moments(moments.data(), moments.data() + n, of.z.view());
  Matrix<T> y = of.z, xhat = of.z, in_place = of.z, d = of.dy, given = of.dy;
  const auto norm = [&](Matrix<T>& to, MatrixView<T> kept, const Matrix<T>& from) {
    table.column_norm(to.view(), kept, from.view(), moments.data(), moments.data() + n,
                      of.gain.data(), T(1e-5));
  };
  norm(y, xhat.view(), xhat);
  norm(in_place, {}, in_place);
  table.column_norm_sums(sums.data(), of.dy.view(), xhat.view());
  for (Matrix<T>* m : {&d, &given}) {
    table.column_norm_backward(m->view(), xhat.view(), m == &d ? sums.data() : nullptr,
                               moments.data() + n, of.gain.data(), T(1e-5));
  }
  Outcome outcome;
  outcome.add(moments);
  outcome.add(sums);
  for (const Matrix<T>* m : {&y, &xhat, &in_place, &d, &given}) outcome.add(m->numbers());
  return outcome;
}

template <class T>
Outcome run_waves(const Kernels<T>& table, const LayerNumbers<T>& of) {
  const index_t size = of.z.view().cols;
  std::vector<T> x = of.zeros(48), cosines = of.zeros(48 * size), slopes = cosines, alone = cosines;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = T(0.37) * static_cast<T>(i * i) - T(50);
  const auto wave = [&](std::vector<T>& to, T* slopes_to) {
    table.waves({to.data(), size, 48, 48}, {slopes_to, size, 48, 48}, x.data(), of.z.view().data,
                of.gain.data());
  };
  wave(cosines, slopes.data());
  wave(alone, nullptr);
  Outcome outcome;
  for (const std::vector<T>* numbers : {&cosines, &slopes, &alone}) outcome.add(*numbers);
  return outcome;
}

template <class T>
Outcome run_rows(const Kernels<T>& table, const LayerNumbers<T>& of) {
  Matrix<T> sum = of.z, scaled = of.z, dw = of.dy;
  std::vector<T> dots = of.zeros(of.z.view().cols), ds = of.zeros(of.z.view().rows);
  std::vector<T> factors = ds;
  for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = static_cast<T>(i) - T(1.5);
  table.add(sum.view(), sum.view(), of.dy.view());
  table.scale_columns(scaled.view(), of.z.view(), of.gain.data());
  table.column_dots(dots.data(), of.z.view(), of.dy.view(), false);
  table.column_dots(dots.data(), of.z.view(), of.dy.view(), true);
  table.finish_scaled(ds.data(), dw.view(), of.z.view(), factors.data());
  Outcome outcome;
  for (const Matrix<T>* m : {&sum, &scaled, &dw}) outcome.add(m->numbers());
  outcome.add(dots);
  outcome.add(ds);
  return outcome;
}

template <class T>
Outcome run_parametric(const Kernels<T>& table, const LayerNumbers<T>& of, const Activation& g) {
  Matrix<T> a = of.z, in_place = of.z, d = of.dy;
  std::vector<T> dalpha = of.zeros(of.z.view().cols);
  table.parametric_forward(a.view(), of.z.view(), of.gain.data(), g);
  table.parametric_forward(in_place.view(), in_place.view(), of.gain.data(), g);
  table.parametric_backward(d.view(), of.z.view(), of.gain.data(), dalpha.data(), g);
  Outcome outcome;
  for (const Matrix<T>* m : {&a, &in_place, &d}) outcome.add(m->numbers());
  outcome.add(dalpha);
  return outcome;
}

template <class T, class Visit>
void visit_operations(const Visit& visit) {
  for_inputs(9, [&](const Shape& shape, Kind kind, Random& random) {
    const LayerNumbers<T> of(shape, kind, random);
    visit("layer norm", [&](const Kernels<T>& table) { return run_row_norm(table, of, true); });
    visit("rms norm", [&](const Kernels<T>& table) { return run_row_norm(table, of, false); });
    visit("batch norm", [&](const Kernels<T>& table) { return run_column_norm(table, of); });
    visit("waves", [&](const Kernels<T>& table) { return run_waves(table, of); });
    visit("rows", [&](const Kernels<T>& table) { return run_rows(table, of); });
    for (const ActivationTraits& traits : kActivations) {
      if (!is_element_wise(traits.kind)) continue;
      visit("parametric", [&](const Kernels<T>& table) {
        return run_parametric<T>(table, of, {traits.kind, {0.3, 0.1}});
      });
    }
  });
}

}  // namespace pymlp::test
