// Objects of the core exist whole or not at all. Without this, X.__new__(X) gives an object whose
// memory no constructor has seen, and its methods read that memory.
#pragma once

#include <pybind11/pybind11.h>

namespace pymlp::bindings {

inline PyTypeObject* pybind11_base() {
  return reinterpret_cast<PyTypeObject*>(pybind11::detail::get_internals().instance_base);
}

// __new__ calls __init__ itself; pybind11 then ignores the second call, that of type.__call__.
inline PyObject* new_whole_object(PyTypeObject* type, PyObject* arguments, PyObject* options) {
  PyObject* made = pybind11_base()->tp_new(type, arguments, options);
  if (made != nullptr && type->tp_init(made, arguments, options) != 0) Py_CLEAR(made);
  return made;
}

// For every class of a module; none may be derived from, as __init__ would then run twice.
inline void make_objects_whole(const pybind11::module_& module) {
  const pybind11::dict names = module.attr("__dict__");
  for (const auto& [name, value] : names) {
    auto* type = reinterpret_cast<PyTypeObject*>(value.ptr());
    if (!PyType_Check(value.ptr()) || PyType_IsSubtype(type, pybind11_base()) == 0) continue;
    type->tp_new = &new_whole_object;
    type->tp_flags &= ~static_cast<unsigned long>(Py_TPFLAGS_BASETYPE);
    PyType_Modified(type);
  }
}

}  // namespace pymlp::bindings
