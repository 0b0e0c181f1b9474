// The names that the core knows, which Python does not list again, and the activations.
#include <pybind11/stl.h>

#include "bindings/array_activations.hpp"
#include "bindings/bind.hpp"
#include "kernels/activation.hpp"
#include "kernels/loss.hpp"

namespace pymlp::bindings {

namespace {

py::str text(std::string_view view) { return {view.data(), view.size()}; }

// name -> (whether its values lie in [0, 1], whether they are never negative)
py::dict activations() {
  py::dict names;
  for (const ActivationTraits& traits : kActivations) {
    names[text(traits.name)] = py::make_tuple(traits.unit_interval, traits.non_negative);
  }
  return names;
}

// name -> (name of its parameter or "", whether it takes labels)
py::dict losses() {
  py::dict names;
  for (const LossTraits& traits : kLosses) {
    names[text(traits.name)] = py::make_tuple(text(traits.parameter), traits.takes_labels);
  }
  return names;
}

// Throws where the output activation does not give what the loss reads.
void check_names(const std::string& loss, const std::string& output) {
  Loss named;
  named.kind = find_loss(loss).kind;
  Activation activation;
  activation.kind = find_activation(output).kind;
  check_pair(named, activation);
}

}  // namespace

void bind_catalog(py::module_& module) {
  module.def("activations", &activations);
  module.def("losses", &losses);
  module.def("check_pair", &check_names, py::arg("loss"), py::arg("output"));
  bind_activations<float>(module);
  bind_activations<double>(module);
}

}  // namespace pymlp::bindings
