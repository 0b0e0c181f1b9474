// User functions in Python as activations and losses. The Python side has wrapped them so that they
// return arrays of exactly the right shape and dtype; their exceptions pass through the core
// unchanged.
#pragma once

#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "kernels/table.hpp"
#include "kernels/user_function.hpp"

namespace pymlp::bindings {

class PythonActivation final : public UserActivation {
 public:
  // forward(z) -> a, derivative(z) -> g'(z)
  PythonActivation(py::object forward, py::object derivative)
      : forward_(std::move(forward)), derivative_(std::move(derivative)) {}

  // For Python's garbage collector, which finds rings of references through here: what this refers
  // to, and to let go of it. Calls fail afterwards; nobody is left to make one.
  int traverse(visitproc visit, void* arg) const {
    Py_VISIT(forward_.ptr());
    Py_VISIT(derivative_.ptr());
    return 0;
  }
  void clear() {
    forward_ = py::none();
    derivative_ = py::none();
  }

  void forward(MatrixView<float> a, ConstMatrixView<float> z) override { write(a, z); }
  void forward(MatrixView<double> a, ConstMatrixView<double> z) override { write(a, z); }
  void backward(MatrixView<float> dz, ConstMatrixView<float> da,
                ConstMatrixView<float> z) override {
    multiply(dz, da, z);
  }
  void backward(MatrixView<double> dz, ConstMatrixView<double> da,
                ConstMatrixView<double> z) override {
    multiply(dz, da, z);
  }

 private:
  template <class T>
  void write(MatrixView<T> a, ConstMatrixView<T> z) {
    const gil::Held held;
    const auto result = gil::call(forward_, copied(z)).template cast<Array<T>>();
    const ConstMatrixView<T> values = const_matrix(result, "forward(z)", z.rows, z.cols);
    for (index_t i = 0; i < a.rows; ++i) std::copy_n(values.row(i), a.cols, a.row(i));
  }

  template <class T>
  void multiply(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> z) {
    const gil::Held held;
    const auto result = gil::call(derivative_, copied(z)).template cast<Array<T>>();
    const ConstMatrixView<T> slopes = const_matrix(result, "derivative(z)", z.rows, z.cols);
    for (index_t i = 0; i < dz.rows; ++i) {
      for (index_t j = 0; j < dz.cols; ++j) dz.row(i)[j] = da.row(i)[j] * slopes.row(i)[j];
    }
  }

  py::object forward_;
  py::object derivative_;
};

class PythonLoss final : public UserLoss {
 public:
  // function(a, labels or None, values or None) -> (losses (m,), gradient (m, k))
  explicit PythonLoss(py::object function) : function_(std::move(function)) {}

  int traverse(visitproc visit, void* arg) const {
    Py_VISIT(function_.ptr());
    return 0;
  }
  void clear() { function_ = py::none(); }

  void operator()(float* losses, MatrixView<float> gradient, ConstMatrixView<float> a,
                  const Targets<float>& targets, const float* scale) override {
    evaluate(losses, gradient, a, targets, scale);
  }
  void operator()(double* losses, MatrixView<double> gradient, ConstMatrixView<double> a,
                  const Targets<double>& targets, const double* scale) override {
    evaluate(losses, gradient, a, targets, scale);
  }

 private:
  template <class T>
  void evaluate(T* losses, MatrixView<T> gradient, ConstMatrixView<T> a, const Targets<T>& targets,
                const T* scale) {
    const gil::Held held;
    const py::tuple result = gil::call(function_, copied(a), copied(targets, a.rows));
    const auto values = result[0].template cast<Array<T>>();
    const auto slopes = result[1].template cast<Array<T>>();
    std::copy_n(const_vector(values, "losses", a.rows), a.rows, losses);
    const ConstMatrixView<T> rows = const_matrix(slopes, "gradient", a.rows, a.cols);
    for (index_t i = 0; i < a.rows; ++i) {
      for (index_t j = 0; j < a.cols; ++j) gradient.row(i)[j] = scale[i] * rows.row(i)[j];
    }
  }

  template <class T>
  static py::object copied(const Targets<T>& targets, index_t rows) {
    if (targets.labels == nullptr) return bindings::copied(targets.values);
    Array<std::int32_t> labels(rows);
    std::copy_n(targets.labels, rows, labels.mutable_data());
    return labels;
  }
  template <class T>
  static Array<T> copied(ConstMatrixView<T> view) {
    return bindings::copied(view);
  }

  py::object function_;
};

}  // namespace pymlp::bindings
