// Threads, draws, and what this build runs on.
#include <algorithm>
#include <exception>
#include <numeric>
#include <span>
#include <type_traits>

#include "base/at_fork.hpp"
#include "base/cpu.hpp"
#include "base/most_threads.hpp"
#include "base/team.hpp"
#include "bindings/arrays.hpp"
#include "bindings/bind.hpp"
#include "bindings/current_arithmetic.hpp"
#include "bindings/plain_array.hpp"
#include "bindings/signals.hpp"
#include "kernels/blas.hpp"
#include "kernels/table.hpp"
#include "model/shuffle.hpp"

namespace pymlp::bindings {

namespace {

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#else
  return "unknown";
#endif
}

py::dict blas_config() {
  const blas::Description description = blas::describe();
  py::dict config;
  config["library"] = description.library;
  config["version"] = description.version;
  config["kernels"] = description.kernels;
  config["path"] = description.path;
  return config;
}

// 0 ... n-1 in the order that this stream of this seed draws, on every machine.
Array<std::int64_t> permutation(index_t n, std::uint64_t seed, std::uint64_t stream) {
  check(n >= 0, "n must be at least 0, not ", n);
  static_assert(std::is_same_v<index_t, std::int64_t>);
  Array<std::int64_t> result(n);
  const std::span<index_t> order(result.mutable_data(), static_cast<std::size_t>(n));
  Signals signals;
  {
    const gil::Released released;
    std::iota(order.begin(), order.end(), index_t{0});
    shuffle(order, Random(seed, stream), &signals.interrupt());
  }
  signals.raise();
  return result;
}

// Labels as int32, the array itself where it is that; None where it is not plain, or a label is not
// from 0 to classes - 1. NumPy's reductions take longer than a step of a small network.
template <class Label>
py::object plain_labels(const py::object& object, index_t classes) {
  const PlainArray<Label> given = plain_array<Label>(object.ptr());
  if (!given || given.ndim != 1) return py::none();
  const std::span<const Label> labels(given.data, static_cast<std::size_t>(given.cols));
  const auto is_class = [&](Label label) { return label >= 0 && label < classes; };
  if (!std::ranges::all_of(labels, is_class)) return py::none();
  if constexpr (std::is_same_v<Label, std::int32_t>) return object;
  Array<std::int32_t> result(given.cols);
  std::ranges::transform(labels, result.mutable_data(),
                         [](Label label) { return static_cast<std::int32_t>(label); });
  return result;
}

py::object labels(const py::object& object, index_t classes) {
  const py::object found = plain_labels<std::int64_t>(object, classes);
  return found.is_none() ? plain_labels<std::int32_t>(object, classes) : found;
}

template <class T>
bool plain_and_finite(const py::object& object) {
  const PlainArray<T> array = plain_array<T>(object.ptr());
  if (!array) return false;
  const gil::Released released;
  return kernels<T>().all_finite(array.data, array.size());
}

// False also where the array is not plain.
bool all_finite(const py::object& object) {
  return plain_and_finite<float>(object) || plain_and_finite<double>(object);
}

py::dict config() {
  py::dict config;
  config["isa"] = name_of(selected_isa());
  config["threads"] = num_threads();
  config["compiler"] = compiler();
  config["arithmetic"] = std::string(name_of(current_arithmetic()));
  config["blas"] = blas_config();
  return config;
}

// What is found out at first use is known before a fork, or its child might wait for the thread
// that was finding it out.
void know_before_forks() {
  static const AtFork& at_fork = *new AtFork({.before = [] {
    try {
      num_threads();
      process_arithmetic();
      kernels<float>();
      kernels<double>();
    } catch (const std::exception&) {  // of an environment that first use will complain of
    }
  }});
  static_cast<void>(at_fork);
}

}  // namespace

void bind_config(py::module_& module) {
  know_before_forks();
  module.attr("__version__") = PYMLP_VERSION;
  module.def("config", &config);
  module.def("set_num_threads", &set_num_threads, py::arg("threads"));
  module.def("get_num_threads", &num_threads);
  module.def("most_threads", &most_threads);
  module.def("labels", &labels, py::arg("y"), py::arg("classes"));
  module.def("all_finite", &all_finite, py::arg("array"));
  module.def("permutation", &permutation, py::arg("n"), py::arg("seed"), py::arg("stream"));
}

}  // namespace pymlp::bindings
