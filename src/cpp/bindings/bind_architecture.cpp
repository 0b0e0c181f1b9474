// Architectures: what a network is, and its tensors by name.
#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "base/check.hpp"
#include "bindings/bind.hpp"
#include "bindings/plain_array.hpp"
#include "model/program.hpp"

namespace pymlp::bindings {

namespace py = pybind11;

namespace {

py::str text(std::string_view view) { return {view.data(), view.size()}; }

Norm norm_of_name(const std::string& name) {
  const auto* found = std::ranges::find(kNorms, name);
  check(found != std::end(kNorms), "norm '", name, "' is not known");
  return static_cast<Norm>(found - std::begin(kNorms));
}

// kind, column, size, width, constants: as ColumnEmbedding has them
using ColumnSpec = std::tuple<std::string, index_t, index_t, index_t, std::vector<double>>;

std::vector<ColumnEmbedding> embedding_of(const std::vector<ColumnSpec>& specs) {
  std::vector<ColumnEmbedding> columns;
  for (const auto& [name, column, size, width, constants] : specs) {
    const auto* found = std::ranges::find(kColumnKinds, name);
    check(found != std::end(kColumnKinds), "embedding must name known kinds");
    columns.push_back({static_cast<ColumnKind>(found - std::begin(kColumnKinds)), column, size,
                       width, constants});
  }
  return columns;
}

// (row, column) of the first code that names no category; None where all do.
template <class T>
py::object first_wrong_code(const PlainArray<T>& x, const EmbeddedInputs& embedded) {
  const auto wrong = embedded.wrong_code(ConstMatrixView<T>(x.data, x.rows, x.cols, x.cols));
  return wrong ? py::object(py::make_tuple(wrong->first, wrong->second)) : py::none();
}

py::object wrong_code(const py::object& x, const std::vector<ColumnSpec>& specs) {
  const PlainArray<float> floats = plain_array<float>(x.ptr());
  const PlainArray<double> doubles = plain_array<double>(x.ptr());
  check(floats || doubles, "X must be a C-contiguous array of floats");
  const EmbeddedInputs embedded(floats ? floats.cols : doubles.cols, embedding_of(specs));
  return floats ? first_wrong_code(floats, embedded) : first_wrong_code(doubles, embedded);
}

// (attribute, kind, layer, first, shape, column or None)
py::tuple described(const Tensor& tensor) {
  py::tuple shape = py::make_tuple(tensor.cols);
  if (tensor.rows > 0) shape = py::make_tuple(tensor.rows, tensor.cols);
  return py::make_tuple(
      text(tensor.name), text(kTensorKinds[static_cast<std::size_t>(tensor.kind)]), tensor.layer,
      tensor.first, shape, tensor.column < 0 ? py::object(py::none()) : py::int_(tensor.column));
}

// In the order of the arena: parameters, and behind them what has no gradient.
py::list tensors(Architecture architecture) {
  architecture.activations.resize(std::max(architecture.widths.size(), std::size_t{1}) - 1);
  const Program program(architecture);
  py::list result;
  for (const Tensor& tensor : program.tensors()) result.append(described(tensor));
  for (const Tensor& tensor : program.states()) result.append(described(tensor));
  return result;
}

}  // namespace

void bind_architecture(py::module_& module) {
  py::class_<Architecture>(module, "Architecture")
      .def(py::init([](const std::vector<index_t>& widths, bool bias,
                       const std::vector<double>& dropout, bool residual, bool scale_inputs,
                       const std::string& norm, const std::vector<bool>& parametric,
                       double input_dropout, const std::vector<ColumnSpec>& embedding) {
             return Architecture{.widths = widths,
                                 .activations = {},
                                 .has_biases = bias,
                                 .dropout = dropout,
                                 .residual = residual,
                                 .input_dropout = input_dropout,
                                 .norm = norm_of_name(norm),
                                 .scale_inputs = scale_inputs,
                                 .parametric = parametric,
                                 .embedding = embedding_of(embedding)};
           }),
           py::kw_only(), py::arg("widths"), py::arg("bias"), py::arg("dropout"),
           py::arg("residual") = false, py::arg("scale_inputs") = false, py::arg("norm") = "none",
           py::arg("parametric") = std::vector<bool>{}, py::arg("input_dropout") = 0.0,
           py::arg("embedding") = std::vector<ColumnSpec>{})
      .def_property_readonly("tensors", &tensors);
  module.def("wrong_code", &wrong_code, py::arg("X"), py::arg("embedding"));
}

}  // namespace pymlp::bindings
