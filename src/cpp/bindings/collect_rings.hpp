// Rings of references that run through objects of the core, as Python's garbage collector finds and
// breaks them: a user function may refer to the network, the loss or the training that calls it.
#pragma once

#include <pybind11/pybind11.h>

namespace pymlp::bindings {

// Whether __init__ has run.
inline bool is_made(PyObject* self) {
  auto* instance = reinterpret_cast<pybind11::detail::instance*>(self);
  return instance->get_value_and_holder().holder_constructed();
}

template <class Held>
Held& held_by(PyObject* self) {
  return pybind11::cast<Held&>(pybind11::handle(self));
}

// For custom_type_setup, of a class with traverse(visit, arg) and clear().
template <class Held>
void collect_rings(PyHeapTypeObject* heap_type) {
  PyTypeObject& type = heap_type->ht_type;
  type.tp_flags |= Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    return is_made(self) ? held_by<const Held>(self).traverse(visit, arg) : 0;
  };
  type.tp_clear = [](PyObject* self) {
    if (is_made(self)) held_by<Held>(self).clear();
    return 0;
  };
}

}  // namespace pymlp::bindings
