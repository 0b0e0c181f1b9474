// What computes the products: of the process, and of a context.
#include <string>

#include "bindings/bind.hpp"
#include "bindings/current_arithmetic.hpp"
#include "bindings/gil.hpp"

namespace pymlp::bindings {

namespace {

// Of a context: a tuple of (block, number of its Arithmetic), the innermost last. Never released:
// calls may outlive the module.
PyObject* variable = nullptr;

// Whether any block was ever entered: without one, asking would cost as much as the arithmetic of a
// few units. Blocks are not counted: a copy of a context keeps those that end in the original.
bool was_entered = false;

// A library is loaded meanwhile.
Arithmetic ready(const std::string& name) {
  const Arithmetic arithmetic = arithmetic_of_name(name);
  const gil::Released released;
  prepare(arithmetic);
  return arithmetic;
}

void set_arithmetic(const std::string& name) { set_process_arithmetic(ready(name)); }

py::tuple blocks_of_context() {
  PyObject* found = nullptr;
  if (PyContextVar_Get(variable, nullptr, &found) != 0) throw py::error_already_set();
  return found == nullptr ? py::tuple() : py::reinterpret_steal<py::tuple>(found);
}

void set_blocks_of_context(const py::object& blocks) {
  const auto token = py::reinterpret_steal<py::object>(PyContextVar_Set(variable, blocks.ptr()));
  if (!token) throw py::error_already_set();
}

void enter_arithmetic(const py::object& block, const std::string& name) {
  const py::tuple entry = py::make_tuple(block, static_cast<int>(ready(name)));
  set_blocks_of_context(blocks_of_context() + py::make_tuple(entry));
  was_entered = true;
}

// A generator may be ended while other blocks are open, or in another context: what it opened is
// taken out, wherever it stands.
void leave_arithmetic(const py::object& block) {
  const py::tuple blocks = blocks_of_context();
  for (std::size_t i = blocks.size(); i-- > 0;) {
    const py::object owner = py::tuple(blocks[i])[0];
    if (!owner.is(block)) continue;
    const auto end = static_cast<std::ptrdiff_t>(blocks.size());
    const auto at = static_cast<std::ptrdiff_t>(i);
    set_blocks_of_context(blocks[py::slice(0, at, 1)] + blocks[py::slice(at + 1, end, 1)]);
    return;
  }
  throw std::runtime_error("this block of pymlp.arithmetic was not entered in this context");
}

}  // namespace

Arithmetic current_arithmetic() {
  if (!was_entered) return process_arithmetic();
  const py::tuple blocks = blocks_of_context();
  if (blocks.empty()) return process_arithmetic();
  const py::tuple innermost = blocks[blocks.size() - 1];
  return innermost[1].cast<int>() == static_cast<int>(Arithmetic::exact) ? Arithmetic::exact
                                                                         : Arithmetic::blas;
}

void bind_arithmetic(py::module_& module) {
  variable = PyContextVar_New("pymlp.arithmetic", nullptr);
  if (variable == nullptr) throw py::error_already_set();
  module.def("set_arithmetic", &set_arithmetic, py::arg("name"));
  module.def("get_arithmetic", [] { return std::string(name_of(current_arithmetic())); });
  module.def("enter_arithmetic", &enter_arithmetic, py::arg("block"), py::arg("name"));
  module.def("leave_arithmetic", &leave_arithmetic, py::arg("block"));
}

}  // namespace pymlp::bindings
