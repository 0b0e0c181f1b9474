// The GIL, released and taken back. Where the interpreter ends meanwhile, a thread that wants the
// GIL is ended by pthread_exit, which unwinds its stack: through destructors, which abort the
// process. Such a thread sleeps here instead, until the process ends; it holds no lock.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <thread>
#include <utility>

namespace pymlp::bindings {

namespace py = pybind11;

namespace gil {

[[noreturn]] inline void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

// Calls something of Python's that may end this thread. A C++ exception does not come out of it.
template <class Call>
auto never_unwound(Call&& call) {
  try {
    return call();
  } catch (...) {  // the unwinding of pthread_exit, which must not go on
    sleep_for_ever();
  }
}

inline bool interpreter_ends() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing() != 0 || Py_IsInitialized() == 0;
#else
  return _Py_IsFinalizing() != 0 || Py_IsInitialized() == 0;
#endif
}

// Without the GIL while this lives.
class Released {
 public:
  Released() : state_(PyEval_SaveThread()) {}
  ~Released() {
    never_unwound([this] { PyEval_RestoreThread(state_); });
  }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  PyThreadState* state_;
};

// With the GIL while this lives, on a thread that may have it already.
class Held {
 public:
  Held() {
    if (interpreter_ends()) sleep_for_ever();
    state_ = never_unwound([] { return PyGILState_Ensure(); });
  }
  ~Held() { PyGILState_Release(state_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  PyGILState_STATE state_{};
};

// function(arguments...), with the GIL. Python code gives the GIL up and takes it back as it runs.
template <class... Arguments>
py::object call(const py::object& function, const Arguments&... arguments) {
  PyObject* result = never_unwound(
      [&] { return PyObject_CallFunctionObjArgs(function.ptr(), arguments.ptr()..., nullptr); });
  if (result == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(result);
}

}  // namespace gil
}  // namespace pymlp::bindings
