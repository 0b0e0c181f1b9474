// What computes the products: of the process, and of a context.
#include <string>

#include "bindings/bind.hpp"
#include "bindings/current_arithmetic.hpp"
#include "bindings/gil.hpp"

namespace pymlp::bindings {

namespace {

// Its values are numbers of Arithmetic. Never released: calls may outlive the module.
PyObject* variable = nullptr;

// Whether any block set it: asking costs as much as the arithmetic of a few units.
bool was_set = false;

// A library is loaded meanwhile.
Arithmetic ready(const std::string& name) {
  const Arithmetic arithmetic = arithmetic_of_name(name);
  const gil::Released released;
  prepare(arithmetic);
  return arithmetic;
}

void set_arithmetic(const std::string& name) { set_process_arithmetic(ready(name)); }

py::object enter_arithmetic(const std::string& name) {
  const py::int_ value(static_cast<int>(ready(name)));
  const auto token = py::reinterpret_steal<py::object>(PyContextVar_Set(variable, value.ptr()));
  if (!token) throw py::error_already_set();
  was_set = true;
  return token;
}

void leave_arithmetic(const py::object& token) {
  if (PyContextVar_Reset(variable, token.ptr()) != 0) throw py::error_already_set();
}

}  // namespace

Arithmetic current_arithmetic() {
  if (!was_set) return process_arithmetic();
  PyObject* found = nullptr;
  if (PyContextVar_Get(variable, nullptr, &found) != 0) throw py::error_already_set();
  if (found == nullptr) return process_arithmetic();
  const auto value = py::reinterpret_steal<py::int_>(found);
  return value.cast<int>() == static_cast<int>(Arithmetic::exact) ? Arithmetic::exact
                                                                  : Arithmetic::blas;
}

void bind_arithmetic(py::module_& module) {
  variable = PyContextVar_New("pymlp.arithmetic", nullptr);
  if (variable == nullptr) throw py::error_already_set();
  module.def("set_arithmetic", &set_arithmetic, py::arg("name"));
  module.def("get_arithmetic", [] { return std::string(name_of(current_arithmetic())); });
  module.def("enter_arithmetic", &enter_arithmetic, py::arg("name"));
  module.def("leave_arithmetic", &leave_arithmetic, py::arg("token"));
}

}  // namespace pymlp::bindings
