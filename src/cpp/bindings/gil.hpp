// The GIL, released and taken back. Where the interpreter ends meanwhile, a thread that wants the
// GIL is ended by pthread_exit, which unwinds its stack: through destructors, which abort the
// process. Such a thread sleeps here instead, until the process ends; it holds no lock.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <exception>
#include <thread>
#include <utility>

namespace pymlp::bindings {

namespace py = pybind11;

namespace gil {

[[noreturn]] inline void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

// Calls something of Python's that may end this thread. What is then caught is no object, to which
// nothing may refer.
template <class Call>
auto never_unwound(Call&& call) {
#if defined(__GLIBCXX__)
  try {
    return call();
  } catch (const std::exception&) {
    throw;
  } catch (...) {  // pthread_exit, which must not go on
    sleep_for_ever();
  }
#else
  return call();
#endif
}

// Without the GIL while this lives, on a thread that Python called.
class Released {
 public:
  Released() { released_ = PyEval_SaveThread(); }
  ~Released() { take_back(); }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  friend class Held;
  static void take_back() {
    PyThreadState* state = std::exchange(released_, nullptr);
    never_unwound([state] { PyEval_RestoreThread(state); });
  }
  static inline thread_local PyThreadState* released_ = nullptr;  // null: this thread has the GIL
};

// With the GIL while this lives. Not by PyGILState_Ensure, which knows no thread that is left over
// when the interpreter has ended.
class Held {
 public:
  Held() : was_released_(Released::released_ != nullptr) {
    if (was_released_) Released::take_back();
  }
  ~Held() {
    if (was_released_) Released::released_ = PyEval_SaveThread();
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  bool was_released_;
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
