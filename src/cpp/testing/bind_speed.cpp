// For benchmarks: the peak of the processor, and a product many times over, so
// that neither the call nor new memory for the result is measured with it.
#include <chrono>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "kernels/product.hpp"
#include "kernels/table.hpp"
#include "testing/bind.hpp"
#include "testing/padded.hpp"

namespace pymlp::testing {

using namespace bindings;

namespace {

template <class T>
double peak(Array<T> result, index_t iterations) {
  T* number = vector(result, "result", 1);
  // Several threads are measured at once.
  const gil::Released released;
  return kernels<T>().peak(number, iterations);
}

template <class T>
ConstMatrixView<T> operand(const Array<T>& array, const char* name, index_t rows, index_t cols) {
  const ConstMatrixView<T> view = const_matrix(array, name, cols);
  check(view.rows == rows, name, " must have ", rows, " rows, not ", view.rows);
  return view;
}

// z = x w, dw = x^T dz or dx = dz w^T, by the name of what is computed: the three arrays are those
// of the layer, and one of them is written to. Returns the seconds that the products took, without
// the copies of the arrays that they ran on.
template <class T>
double repeat_product(const std::string& result, const Array<T>& rows, const Array<T>& w,
                      const Array<T>& outputs, index_t repeats) {
  check(rows.ndim() == 2 && outputs.ndim() == 2, "rows and outputs must have 2 dimensions");
  const index_t m = rows.shape(0), n_in = rows.shape(1), n_out = outputs.shape(1);
  Padded<T> x = Padded<T>::matrix(operand(rows, "rows", m, n_in));
  Padded<T> weights = Padded<T>::weights(operand(w, "w", n_in, n_out));
  Padded<T> dz = Padded<T>::matrix(operand(outputs, "outputs", m, n_out));
  check(result == "z" || result == "dw" || result == "dx", "result must be z, dw or dx, not ",
        result);
  const Arithmetic arithmetic = process_arithmetic();
  prepare(arithmetic);
  Array<T> written = result == "z" ? outputs : result == "dw" ? w : rows;
  const MatrixView<T> to = matrix(written, "the result", written.shape(0), written.shape(1));
  Buffer<T> transposed(product::transposed_size<T>(arithmetic, n_in, n_out));
  if (transposed.size() > 0) product::transpose<T>(transposed.data(), weights.view(), 0, n_in);
  const product::Weights<T> all{weights.view(), transposed.data()};
  // Nothing below touches Python.
  const gil::Released released;
  const auto start = std::chrono::steady_clock::now();
  for (index_t i = 0; i < repeats; ++i) {
    if (result == "z") product::forward<T>(arithmetic, dz.view(), x.view(), all.w, nullptr);
    if (result == "dw")
      product::weights_gradient<T>(arithmetic, weights.view(), nullptr, x.view(), dz.view(), 0,
                                   false);
    if (result == "dx") product::input_gradient<T>(arithmetic, x.view(), dz.view(), all, false);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  (result == "z" ? dz : result == "dw" ? weights : x).copy_to(to);
  return seconds.count();
}

template <class T>
void bind(py::module_& module) {
  module.def("peak", &peak<T>, py::arg("result").noconvert(), py::arg("iterations"));
  module.def("repeat_product", &repeat_product<T>, py::arg("result"), py::arg("rows").noconvert(),
             py::arg("w").noconvert(), py::arg("outputs").noconvert(), py::arg("repeats"));
}

}  // namespace

void bind_speed(py::module_& module) {
  bind<float>(module);
  bind<double>(module);
}

}  // namespace pymlp::testing
