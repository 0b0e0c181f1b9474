// The short path of a prediction: for a small network and one sample, pybind11's conversions and
// Python's checks take many times as long as the arithmetic. It serves plain calls alone and
// returns None for all others, which the long path then serves or refuses with a reason.
#include <algorithm>
#include <exception>

#include "base/most_threads.hpp"
#include "base/team.hpp"
#include "bindings/bind.hpp"
#include "bindings/core_network.hpp"
#include "bindings/plain_array.hpp"

namespace pymlp::bindings {

namespace {

// Releasing and acquiring the GIL costs 40 ns, and a multiple of that where another thread takes it
// in between. For less work than this, a few microseconds, it is kept.
constexpr double kWorthReleasing = 1e5;

template <class T>
bool fits(const PlainArray<T>& out, const PlainArray<T>& x, index_t n_outputs) {
  return out && out.writable && out.ndim == x.ndim && out.rows == x.rows && out.cols == n_outputs &&
         !overlap(out, x);
}

template <class T>
void predict_plain(CoreNetwork<T>& core, const PlainArray<T>& x, T* out, int threads) {
  const Program& program = core.program();
  const auto work = [&](const Reading<T>& reading) {
    predict<T>(reading, {x.data, x.rows, x.cols, x.cols},
               {out, x.rows, program.n_outputs(), program.n_outputs()}, threads);
  };
  const double operations = static_cast<double>(x.rows) * program.forward_operations();
  if (operations < kWorthReleasing && core.try_reading(work)) return;
  core.reading(x.rows, false, work);
}

// Whether categories are named by codes of theirs.
template <class T>
bool has_codes(const Program& program, const PlainArray<T>& x) {
  const EmbeddedInputs* embedded = program.embedded();
  return embedded == nullptr ||
         !embedded->wrong_code(ConstMatrixView<T>(x.data, x.rows, x.cols, x.cols));
}

// 0 for what is neither None nor a number of threads.
int thread_count(PyObject* threads) {
  if (threads == Py_None) return std::min(num_threads(), most_threads());
  if (!PyLong_CheckExact(threads)) return 0;
  int overflow = 0;  // the number is then -1
  const long count = PyLong_AsLongAndOverflow(threads, &overflow);
  return count >= 1 && count <= kMaxThreads ? std::min(static_cast<int>(count), most_threads()) : 0;
}

// A new reference: the outputs, None where this is not a plain call, or null with the error set.
template <class T>
PyObject* answer(CoreNetwork<T>& core, PyObject* x_object, PyObject* out_object, int threads) {
  const Program& program = core.program();
  const PlainArray<T> x = plain_array<T>(x_object);
  // User functions may raise and may call anything: the long path allows for that.
  if (program.has_user_functions() || threads == 0 || !x || x.cols != program.n_inputs() ||
      !has_codes(program, x)) {
    return Py_NewRef(Py_None);
  }
  if (out_object == Py_None) {
    auto out =
        py::reinterpret_steal<py::object>(new_plain_array<T>(x.ndim, x.rows, program.n_outputs()));
    if (!out) return nullptr;
    predict_plain(core, x, plain_array<T>(out.ptr()).data, threads);
    return out.release().ptr();
  }
  const PlainArray<T> out = plain_array<T>(out_object);
  if (!fits(out, x, program.n_outputs())) return Py_NewRef(Py_None);
  predict_plain(core, x, out.data, threads);
  return Py_NewRef(out_object);
}

template <class T>
PyObject* try_predict(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 3) {
    PyErr_SetString(PyExc_TypeError, "try_predict takes X, out and threads");
    return nullptr;
  }
  try {
    return answer(py::handle(self).cast<CoreNetwork<T>&>(), arguments[0], arguments[1],
                  thread_count(arguments[2]));
  } catch (py::error_already_set& error) {  // of a signal handler
    error.restore();
    return nullptr;
  } catch (const std::exception&) {
    return Py_NewRef(Py_None);  // the long path meets the same error and reports it
  }
}

constexpr const char* kDoc =
    "try_predict(self, X, out, threads, /) -> object\n\n"
    "The outputs, in out where that is not None; None where an array is not plain.";

// Not through pybind11's own def, whose calls cost a quarter of a microsecond.
template <class T>
void bind_try_predict(const py::module_& module, const char* name) {
  using Function = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t);
  static PyMethodDef method = {"try_predict",
                               reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(
                                   static_cast<Function>(&try_predict<T>))),
                               METH_FASTCALL, kDoc};
  const py::object type = module.attr(name);
  type.attr("try_predict") = py::reinterpret_steal<py::object>(
      PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &method));
}

}  // namespace

void bind_predict(py::module_& module) {
  bind_try_predict<float>(module, "NetworkFloat32");
  bind_try_predict<double>(module, "NetworkFloat64");
}

}  // namespace pymlp::bindings
