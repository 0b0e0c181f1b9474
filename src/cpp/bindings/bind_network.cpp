// Networks: parameters as a view, outputs, losses, gradients and single steps.
#include <pybind11/stl.h>

#include "bindings/arrays.hpp"
#include "bindings/bind.hpp"
#include "bindings/collect_rings.hpp"
#include "bindings/core_loss.hpp"
#include "bindings/core_network.hpp"
#include "bindings/core_training.hpp"

namespace pymlp::bindings {

namespace {

using Labels = std::optional<Array<std::int32_t>>;

// Of dropout, where a loss or a gradient is measured as in training.
using Draws = std::optional<DropoutDraws>;

Draws draws_of(const std::optional<std::uint64_t>& seed) {
  if (!seed) return std::nullopt;
  return DropoutDraws{*seed, 0};
}

Mode mode_of(const Draws& draws) { return draws ? Mode::training : Mode::inference; }

// The array borrows the arena and keeps its owner alive.
template <class T>
Array<T> arena(CoreNetwork<T>& core) {
  using Owner = std::shared_ptr<Network<T>>;
  const py::capsule owner(new Owner(core.shared()),
                          [](void* held) { delete static_cast<Owner*>(held); });
  return Array<T>(core.program().arena_size(), core.network().parameters(), owner);
}

template <class T>
void initialize(CoreNetwork<T>& core, const std::string& name, double scale, std::uint64_t seed) {
  const Initializer initializer{initializer_of_name(name), scale};
  core.as_training(
      [&](Interrupt& interrupt) { core.network().initialize(initializer, seed, &interrupt); });
}

template <class T>
Array<T> predict_into(CoreNetwork<T>& core, const Array<T>& x, Array<T> out, int threads) {
  const Program& program = core.program();
  const ConstMatrixView<T> inputs = const_matrix(x, "X", program.n_inputs());
  const MatrixView<T> outputs = matrix(out, "out", inputs.rows, program.n_outputs());
  core.reading(inputs.rows, program.has_user_functions(),
               [&](const Reading<T>& reading) { predict<T>(reading, inputs, outputs, threads); });
  return out;
}

template <class T>
Array<T> predict_new(CoreNetwork<T>& core, const Array<T>& x, int threads) {
  check(x.ndim() == 2, "X must have 2 dimensions, not ", x.ndim());
  return predict_into(core, x, empty_matrix<T>(x.shape(0), core.program().n_outputs()), threads);
}

// What the inputs become before the first product.
template <class T>
Array<T> embed_new(CoreNetwork<T>& core, const Array<T>& x, int threads) {
  const Program& program = core.program();
  check(program.embedded() != nullptr, "this network has no embedding");
  const ConstMatrixView<T> inputs = const_matrix(x, "X", program.n_inputs());
  const index_t n = program.embedded()->n_out();
  Array<T> result = empty_matrix<T>(inputs.rows, n);
  const MatrixView<T> y{result.mutable_data(), inputs.rows, n, n};
  core.reading(inputs.rows, false,
               [&](const Reading<T>& reading) { embed<T>(reading, inputs, y, threads); });
  return result;
}

// New matrices of a batch's rows, one for each layer, and views of them.
template <class T>
std::vector<Array<T>> layer_matrices(const Program& program, index_t rows) {
  std::vector<Array<T>> arrays;
  for (index_t l = 0; l < program.n_layers(); ++l) {
    arrays.push_back(empty_matrix<T>(rows, program.dense(l).n_out));
  }
  return arrays;
}

template <class T>
std::vector<MatrixView<T>> views(std::vector<Array<T>>& arrays) {
  std::vector<MatrixView<T>> views;
  for (Array<T>& array : arrays) {
    views.push_back({array.mutable_data(), array.shape(0), array.shape(1), array.shape(1)});
  }
  return views;
}

// (z, a) of every layer behind the input, each (m, n_out).
template <class T>
std::pair<std::vector<Array<T>>, std::vector<Array<T>>> forward(CoreNetwork<T>& core,
                                                                const Array<T>& x, int threads) {
  const ConstMatrixView<T> inputs = const_matrix(x, "X", core.program().n_inputs());
  std::vector<Array<T>> z = layer_matrices<T>(core.program(), inputs.rows);
  std::vector<Array<T>> a = layer_matrices<T>(core.program(), inputs.rows);
  const std::vector<MatrixView<T>> z_views = views(z), a_views = views(a);
  core.reading(inputs.rows, core.program().has_user_functions(), [&](const Reading<T>& reading) {
    trace(reading, inputs, z_views, a_views, threads);
  });
  return {std::move(z), std::move(a)};
}

// All rows, in place.
template <class T>
Batch<T> whole(const Source<T>& source) {
  return {source, nullptr, {0, source.size()}};
}

template <class T>
double mean_loss(CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
                 const std::optional<Array<T>>& values,
                 const std::optional<Array<T>>& sample_weight, const CoreLoss& loss,
                 const std::optional<std::uint64_t>& seed, int threads) {
  Buffer<std::int32_t> kept;
  const ArraySource<T> source = source_of(x, labels, values, sample_weight, core.program(), kept);
  const Loss& kind = loss.for_outputs(core.program());
  const Draws draws = draws_of(seed);
  const Pass<T> pass{.batch = whole(source), .draws = draws ? &*draws : nullptr};
  return core.run(kind, Purpose::loss, mode_of(draws), threads, pass).mean();
}

// (loss, dz of every layer where asked for); the gradient goes to `out`.
template <class T>
std::pair<double, std::vector<Array<T>>> gradient(CoreNetwork<T>& core, const Array<T>& x,
                                                  const Labels& labels,
                                                  const std::optional<Array<T>>& values,
                                                  const std::optional<Array<T>>& sample_weight,
                                                  const CoreLoss& loss,
                                                  const std::optional<std::uint64_t>& seed,
                                                  Array<T> out, bool dz, int threads) {
  Buffer<std::int32_t> kept;
  const ArraySource<T> source = source_of(x, labels, values, sample_weight, core.program(), kept);
  const Loss& kind = loss.for_outputs(core.program());
  const Draws draws = draws_of(seed);
  T* arena = vector(out, "out", core.program().n_parameters());
  std::vector<Array<T>> matrices;
  if (dz) matrices = layer_matrices<T>(core.program(), source.size());
  const std::vector<MatrixView<T>> dz_views = views(matrices);
  const Pass<T> pass{.batch = whole(source),
                     .gradient = arena,
                     .dz = dz ? &dz_views : nullptr,
                     .draws = draws ? &*draws : nullptr};
  const BatchLoss result = core.run(kind, Purpose::gradient, mode_of(draws), threads, pass);
  return {result.mean(), std::move(matrices)};
}

template <class T>
void pull_back(CoreNetwork<T>& core, const Array<T>& x, const Array<T>& dy,
               std::optional<Array<T>> out, Array<T> dx, int threads) {
  const Program& program = core.program();
  const ConstMatrixView<T> inputs = const_matrix(x, "X", program.n_inputs());
  const ConstMatrixView<T> output_gradient = const_matrix(dy, "dY", program.n_outputs());
  check(inputs.rows >= 1, "X must have at least 1 row");
  check(output_gradient.rows == inputs.rows, "dY must have ", inputs.rows, " rows, not ",
        output_gradient.rows);
  T* arena = out ? vector(*out, "out", program.n_parameters()) : nullptr;
  const MatrixView<T> input_gradient = matrix(dx, "dX", inputs.rows, program.n_inputs());
  const ArraySource<T> source(inputs, {}, nullptr);
  const Pass<T> pass{
      .batch = whole(source), .gradient = arena, .dy = output_gradient, .dx = input_gradient};
  core.run(Loss{}, Purpose::pull_back, Mode::inference, threads, pass);
}

// (the loss with penalties, whether the step was taken)
template <class T>
std::pair<double, bool> step(CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
                             const std::optional<Array<T>>& values,
                             const std::optional<Array<T>>& sample_weight, const CoreLoss& loss,
                             Optimizer<T>& optimizer, const Regularization& regularization,
                             std::uint64_t seed, int threads) {
  Buffer<std::int32_t> kept;
  const ArraySource<T> source = source_of(x, labels, values, sample_weight, core.program(), kept);
  const Loss& kind = loss.for_outputs(core.program());
  check(optimizer.n_parameters() == core.program().n_parameters(), "optimizer must hold ",
        core.program().n_parameters(), " parameters, not ", optimizer.n_parameters());
  const DropoutDraws draws{seed, 0};
  StepResult result{};
  const Arithmetic arithmetic = core.arithmetic_of_call();
  core.as_training([&](Interrupt& interrupt) {
    result =
        core.step(source, kind, optimizer, regularization, draws, threads, arithmetic, interrupt);
  });
  return {result.loss.total(), result.updated};
}

template <class T>
std::unique_ptr<CoreTraining> training_of(CoreNetwork<T>& core) {
  return std::make_unique<CoreTraining>(core.network().access());
}

template <class T>
void bind_network(py::module_& module, const char* name) {
  py::class_<CoreNetwork<T>>(module, name, py::custom_type_setup(&collect_rings<CoreNetwork<T>>))
      .def(py::init<Architecture, const std::vector<ActivationSpec>&>(), py::arg("architecture"),
           py::arg("activations"))
      .def_property_readonly("arena", &arena<T>)
      .def("set_arithmetic", &CoreNetwork<T>::set_arithmetic, py::arg("name"))
      .def("snapshot", &CoreNetwork<T>::snapshot)
      .def("snapshot_of", &CoreNetwork<T>::snapshot_of, py::arg("optimizer"))
      .def("write", &CoreNetwork<T>::write, py::arg("values").noconvert())
      .def("initialize", &initialize<T>, py::arg("init"), py::arg("scale"), py::arg("seed"))
      .def("predict", &predict_new<T>, py::arg("X").noconvert(), py::arg("threads"))
      .def("predict_into", &predict_into<T>, py::arg("X").noconvert(), py::arg("out").noconvert(),
           py::arg("threads"))
      .def("embed", &embed_new<T>, py::arg("X").noconvert(), py::arg("threads"))
      .def("forward", &forward<T>, py::arg("X").noconvert(), py::arg("threads"))
      .def("loss", &mean_loss<T>, py::arg("X").noconvert(), py::arg("labels").noconvert(),
           py::arg("values").noconvert(), py::arg("sample_weight").noconvert(), py::arg("loss"),
           py::arg("training_seed"), py::arg("threads"))
      .def("gradient", &gradient<T>, py::arg("X").noconvert(), py::arg("labels").noconvert(),
           py::arg("values").noconvert(), py::arg("sample_weight").noconvert(), py::arg("loss"),
           py::arg("training_seed"), py::arg("out").noconvert(), py::arg("dz"), py::arg("threads"))
      .def("pull_back", &pull_back<T>, py::arg("X").noconvert(), py::arg("dY").noconvert(),
           py::arg("out").noconvert(), py::arg("dX").noconvert(), py::arg("threads"))
      .def("step", &step<T>, py::arg("X").noconvert(), py::arg("labels").noconvert(),
           py::arg("values").noconvert(), py::arg("sample_weight").noconvert(), py::arg("loss"),
           py::arg("optimizer"), py::arg("regularization"), py::arg("seed"), py::arg("threads"))
      .def("release_memory", &CoreNetwork<T>::release_memory);
}

}  // namespace

void bind_networks(py::module_& module) {
  py::class_<CoreLoss>(module, "Loss", py::custom_type_setup(&collect_rings<CoreLoss>))
      .def(py::init<const std::string&, std::vector<double>, double, const py::object&>(),
           py::arg("name"), py::arg("parameters"), py::arg("label_smoothing"), py::arg("function"));
  py::class_<Regularization>(module, "Regularization")
      .def(py::init([](double l1, double l2, double clip_norm, double clip_value, double max_norm) {
             return Regularization{l1, l2, clip_norm, clip_value, max_norm};
           }),
           py::arg("l1"), py::arg("l2"), py::arg("clip_norm"), py::arg("clip_value"),
           py::arg("max_norm"))
      .def_readonly("l1", &Regularization::l1)
      .def_readonly("l2", &Regularization::l2)
      .def_readonly("clip_norm", &Regularization::clip_norm)
      .def_readonly("clip_value", &Regularization::clip_value)
      .def_readonly("max_norm", &Regularization::max_norm);
  bind_network<float>(module, "NetworkFloat32");
  bind_network<double>(module, "NetworkFloat64");
  py::class_<CoreTraining>(module, "Training")
      .def(py::init(&training_of<float>), py::arg("network"), py::keep_alive<1, 2>())
      .def(py::init(&training_of<double>), py::arg("network"), py::keep_alive<1, 2>())
      .def("__enter__", &CoreTraining::enter)
      .def("__exit__", &CoreTraining::exit);
}

}  // namespace pymlp::bindings
