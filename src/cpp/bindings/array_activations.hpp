// The activations that have a kernel, on arrays: slopes for diagnosis and pictures, kernels for the
// tests.
#pragma once

#include <string>
#include <vector>

#include "bindings/arrays.hpp"
#include "kernels/table.hpp"

namespace pymlp::bindings {

inline Activation activation_with_kernel(const std::string& name,
                                         const std::vector<double>& parameters) {
  check(name != "custom", "a kernel cannot be 'custom'");
  return make_activation(name, parameters);
}

template <class T>
Array<T> activation_forward(const std::string& name, const std::vector<double>& parameters,
                            const Array<T>& z) {
  const ConstMatrixView<T> input = any_matrix(z, "z");
  Array<T> a = empty_matrix<T>(input.rows, input.cols);
  kernels<T>().activation_forward(matrix(a, "a", input.rows, input.cols), input,
                                  activation_with_kernel(name, parameters));
  return a;
}

template <class T>
Array<T> activation_backward(const std::string& name, const std::vector<double>& parameters,
                             const Array<T>& da, const Array<T>& z, const Array<T>& a) {
  const ConstMatrixView<T> input = any_matrix(z, "z");
  Array<T> dz = empty_matrix<T>(input.rows, input.cols);
  const ConstMatrixView<T> gradient = const_matrix(da, "da", input.cols);
  const ConstMatrixView<T> output = const_matrix(a, "a", input.cols);
  check(gradient.rows == input.rows, "da must have ", input.rows, " rows, not ", gradient.rows);
  check(output.rows == input.rows, "a must have ", input.rows, " rows, not ", output.rows);
  kernels<T>().activation_backward(matrix(dz, "dz", input.rows, input.cols), gradient, input,
                                   output, activation_with_kernel(name, parameters));
  return dz;
}

template <class T>
void bind_activations(py::module_& module) {
  module.def("activation_forward", &activation_forward<T>, py::arg("name"), py::arg("parameters"),
             py::arg("z").noconvert());
  module.def("activation_backward", &activation_backward<T>, py::arg("name"), py::arg("parameters"),
             py::arg("da").noconvert(), py::arg("z").noconvert(), py::arg("a").noconvert());
}

}  // namespace pymlp::bindings
