// Outputs of several networks of one shape: threads share networks and rows.
#include <pybind11/stl.h>

#include <algorithm>
#include <vector>

#include "base/team.hpp"
#include "bindings/arrays.hpp"
#include "bindings/bind.hpp"
#include "bindings/core_network.hpp"

namespace pymlp::bindings {

namespace {

constexpr double kTask = 2e7;      // operations: some tenths of a millisecond
constexpr double kShared = 500e3;  // from so many on work is shared

// Rows that one task computes.
index_t rows_of_a_task(const Program& program, index_t rows) {
  constexpr index_t kFewest = 256;
  const auto some = static_cast<index_t>(kTask / program.forward_operations());
  return std::clamp(some, std::min(kFewest, rows), rows);
}

// Of one X for all (m, n_in), or one for each (k, m, n_in).
template <class T>
ConstMatrixView<T> inputs_of(const Array<T>& x, index_t networks, index_t n_inputs) {
  const auto dimensions = x.ndim();
  check(dimensions == 2 || dimensions == 3, "X must have 2 or 3 dimensions, not ", dimensions);
  check(dimensions == 2 || x.shape(0) == networks, "X must have ", networks, " matrices, not ",
        x.shape(0));
  check(x.shape(dimensions - 1) == n_inputs, "X must have ", n_inputs, " columns, not ",
        x.shape(dimensions - 1));
  check_aligned(x, "X");
  return {x.data(), x.shape(dimensions - 2), n_inputs, n_inputs};
}

// out (k, m, n_out)
template <class T>
void predict_all(const std::vector<CoreNetwork<T>*>& cores, const Array<T>& x, Array<T> out,
                 int threads) {
  const auto count = static_cast<index_t>(cores.size());
  check(count >= 1, "networks must be at least 1");
  check(threads >= 1 && threads <= kMaxThreads, "threads must be from 1 to ", kMaxThreads, ", not ",
        threads);
  check(std::ranges::count(cores, nullptr) == 0, "networks must not be None");
  const Program& program = cores.front()->program();
  const index_t n_in = program.n_inputs(), n_out = program.n_outputs();
  for (const CoreNetwork<T>* core : cores) {
    check(core->program().n_inputs() == n_in && core->program().n_outputs() == n_out &&
              !core->program().has_user_functions(),
          "networks must be of one shape, and without user functions");
  }
  const ConstMatrixView<T> inputs = inputs_of(x, count, n_in);
  check(out.ndim() == 3 && out.shape(0) == count && out.shape(1) == inputs.rows &&
            out.shape(2) == n_out,
        "out must have shape (", count, ", ", inputs.rows, ", ", n_out, ")");
  check_aligned(out, "out");
  check_writable(out, "out");
  if (inputs.rows == 0) return;
  std::vector<Arithmetic> arithmetic;
  for (const CoreNetwork<T>* core : cores) arithmetic.push_back(core->arithmetic_of_call());
  const index_t of_each = x.ndim() == 3 ? inputs.rows * n_in : 0;
  const index_t rows = rows_of_a_task(program, inputs.rows);
  const index_t parts = (inputs.rows - 1) / rows + 1;
  const double operations = static_cast<double>(count * inputs.rows) * program.forward_operations();
  if (operations < kShared) threads = 1;
  T* const outputs = out.mutable_data();
  Signals signals;
  Interrupt& interrupt = signals.interrupt();
  {
    const gil::Released released;
    parallel_for(count * parts, threads, [&](index_t task, index_t) {
      if (interrupt.requested()) return;
      const index_t i = task / parts, first = task % parts * rows;
      const Range range{first, std::min(rows, inputs.rows - first)};
      const ConstMatrixView<T> of_network(inputs.data + i * of_each, inputs.rows, n_in, n_in);
      const MatrixView<T> to(outputs + i * inputs.rows * n_out, inputs.rows, n_out, n_out);
      const auto which = static_cast<std::size_t>(i);
      cores[which]->read(range.count, false, arithmetic[which], &interrupt,
                         [&](const Reading<T>& reading) {
                           predict<T>(reading, of_network.slice(range.first, range.count),
                                      to.slice(range.first, range.count), 1);
                         });
    });
  }
  signals.raise();
}

}  // namespace

void bind_stack(py::module_& module) {
  module.def("predict_together", &predict_all<float>, py::arg("networks"), py::arg("X").noconvert(),
             py::arg("out").noconvert(), py::arg("threads"));
  module.def("predict_together", &predict_all<double>, py::arg("networks"),
             py::arg("X").noconvert(), py::arg("out").noconvert(), py::arg("threads"));
}

}  // namespace pymlp::bindings
