// Single kernels, each called on arrays as the network calls it on views: for tests against the
// reference, one kernel at a time.
#include <pybind11/stl.h>

#include <iterator>

#include "bindings/array_activations.hpp"
#include "kernels/power.hpp"
#include "kernels/product.hpp"
#include "kernels/table.hpp"
#include "testing/bind.hpp"
#include "testing/padded.hpp"

namespace pymlp::testing {

using namespace bindings;

namespace {

// The table has no kernel for user callbacks.
Loss kernel_loss(const std::string& name, std::span<const double> parameters,
                 double label_smoothing, bool from_logits, index_t n_outputs) {
  check(name != "custom", "a kernel cannot be 'custom'");
  const Loss loss = make_loss(name, parameters, label_smoothing);
  check_outputs(loss, n_outputs);
  check(!from_logits || has_logit_form(loss), "loss '", name, "' is not computed from logits");
  return loss;
}

// (losses (m,), gradient (m, k)) from logits or from activations.
template <class T>
std::pair<Array<T>, Array<T>> loss(const std::string& name, const std::vector<double>& parameters,
                                   double label_smoothing, bool from_logits,
                                   const Array<T>& outputs,
                                   const std::optional<Array<std::int32_t>>& labels,
                                   const std::optional<Array<T>>& values, const Array<T>& scale) {
  const ConstMatrixView<T> input = any_matrix(outputs, "outputs");
  Array<T> losses(input.rows);
  Array<T> gradient = empty_matrix<T>(input.rows, input.cols);
  Buffer<std::int32_t> kept;
  kernels<T>().loss(
      vector(losses, "losses", input.rows), matrix(gradient, "gradient", input.rows, input.cols),
      input, targets(labels, values, input.rows, input.cols, kept),
      const_vector(scale, "scale", input.rows),
      kernel_loss(name, parameters, label_smoothing, from_logits, input.cols), from_logits);
  return {losses, gradient};
}

// Rows of a batch with units dropped, as a hidden layer of this number in this step drops them.
template <class T>
Array<T> dropout(const Array<T>& a, double rate, std::uint64_t seed, std::uint64_t step,
                 std::uint32_t layer) {
  const ConstMatrixView<T> input = any_matrix(a, "a");
  check(rate >= 0.0 && rate < 1.0, "rate must be in [0, 1), not ", rate);
  Array<T> out = empty_matrix<T>(input.rows, input.cols);
  kernels<T>().dropout(matrix(out, "out", input.rows, input.cols), input, rate, seed, step, layer,
                       0);
  return out;
}

template <class T>
Array<T> dense_forward(const Array<T>& x, const Array<T>& w,
                       const std::optional<Array<T>>& biases) {
  const ConstMatrixView<T> input = any_matrix(x, "x");
  Padded<T> weights = Padded<T>::weights(any_matrix(w, "w"));
  const auto [n_in, n_out] = std::pair(weights.view().rows, weights.view().cols);
  check(n_in == input.cols, "w must have ", input.cols, " rows, not ", n_in);
  const T* start = biases ? const_vector(*biases, "biases", n_out) : nullptr;
  Padded<T> row = Padded<T>::weights({start, start == nullptr ? 0 : 1, n_out, n_out});
  Array<T> z = empty_matrix<T>(input.rows, n_out);
  product::forward<T>(process_arithmetic(), matrix(z, "z", input.rows, n_out), input,
                      weights.view(), row.view().data);
  return z;
}

// (dw, db, dx)
template <class T>
std::tuple<Array<T>, Array<T>, Array<T>> dense_backward(const Array<T>& dz, const Array<T>& x,
                                                        const Array<T>& w) {
  const ConstMatrixView<T> weights = any_matrix(w, "w");
  const ConstMatrixView<T> input = const_matrix(x, "x", weights.rows);
  const ConstMatrixView<T> gradient = const_matrix(dz, "dz", weights.cols);
  check(gradient.rows == input.rows, "dz must have ", input.rows, " rows, not ", gradient.rows);
  Array<T> dw = empty_matrix<T>(weights.rows, weights.cols);
  Array<T> db(weights.cols);
  Array<T> dx = empty_matrix<T>(input.rows, input.cols);
  Padded<T> d = Padded<T>::matrix(gradient);
  product::weights_gradient<T>(process_arithmetic(), matrix(dw, "dw", weights.rows, weights.cols),
                               vector(db, "db", weights.cols), input, d.view(), 0, false);
  Buffer<T> transposed(
      product::transposed_size<T>(process_arithmetic(), weights.rows, weights.cols));
  if (transposed.size() > 0) product::transpose<T>(transposed.data(), weights, 0, weights.rows);
  product::input_gradient<T>(process_arithmetic(), matrix(dx, "dx", input.rows, input.cols),
                             gradient, {weights, transposed.data()}, false);
  return {dw, db, dx};
}

template <class T>
Array<T> elementary(const std::string& name, const Array<T>& x) {
  const auto* found = std::find(std::begin(kElementaryNames), std::end(kElementaryNames), name);
  check(found != std::end(kElementaryNames), "function '", name, "' is not known");
  Array<T> y(x.size());
  kernels<T>().elementary(static_cast<Elementary>(std::distance(kElementaryNames, found)),
                          vector(y, "y", x.size()), const_vector(x, "x", x.size()), x.size());
  return y;
}

// base^exponent of each exponent, in this order.
std::vector<double> powers(double base, const std::vector<std::uint64_t>& exponents) {
  check(base >= 0.0 && base < 1.0, "base must be at least 0 and less than 1, not ", base);
  Power power(base);
  std::vector<double> results;
  for (const std::uint64_t exponent : exponents) results.push_back(power(exponent));
  return results;
}

template <class T>
void bind(py::module_& module) {
  bind_activations<T>(module);
  module.def("loss", &loss<T>, py::arg("name"), py::arg("parameters"), py::arg("label_smoothing"),
             py::arg("from_logits"), py::arg("outputs").noconvert(), py::arg("labels").noconvert(),
             py::arg("values").noconvert(), py::arg("scale").noconvert());
  module.def("dropout", &dropout<T>, py::arg("a").noconvert(), py::arg("rate"), py::arg("seed"),
             py::arg("step"), py::arg("layer"));
  module.def("dense_forward", &dense_forward<T>, py::arg("x").noconvert(), py::arg("w").noconvert(),
             py::arg("biases").noconvert());
  module.def("dense_backward", &dense_backward<T>, py::arg("dz").noconvert(),
             py::arg("x").noconvert(), py::arg("w").noconvert());
  module.def("elementary", &elementary<T>, py::arg("name"), py::arg("x").noconvert());
}

}  // namespace

void bind_kernels(py::module_& module) {
  bind<float>(module);
  bind<double>(module);
  module.def("powers", &powers, py::arg("base"), py::arg("exponents"));
}

}  // namespace pymlp::testing
