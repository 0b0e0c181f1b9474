// The names that the core knows, so that Python need not list them again.
#include <pybind11/stl.h>

#include "bindings/bind.hpp"
#include "kernels/activation.hpp"
#include "kernels/loss.hpp"

namespace pymlp::bindings {

namespace py = pybind11;

namespace {

// name -> whether its values lie in [0, 1]
py::dict activations() {
  py::dict names;
  for (const ActivationTraits& traits : all_activations()) {
    names[py::str(traits.name.data(), traits.name.size())] = traits.unit_interval;
  }
  return names;
}

}  // namespace

void bind_catalog(py::module_& module) { module.def("activations", &activations); }

}  // namespace pymlp::bindings
