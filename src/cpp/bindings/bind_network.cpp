// Networks: parameters as a view, outputs, losses, gradients and single steps.
#include <pybind11/stl.h>

#include "base/team.hpp"
#include "bindings/arrays.hpp"
#include "bindings/bind.hpp"
#include "bindings/core_loss.hpp"
#include "bindings/core_network.hpp"
#include "model/inference.hpp"

namespace pymlp::bindings {

namespace {

using Labels = std::optional<Array<std::int32_t>>;

constexpr index_t kLossRows = 2048;  // at a time, where only the loss is wanted

// The array borrows the arena and keeps its owner alive.
template <class T>
Array<T> parameters(const py::object& self) {
  auto& core = self.cast<CoreNetwork<T>&>();
  return Array<T>(core.layout().n_parameters(), core.network().parameters(), self);
}

template <class T>
void initialize(CoreNetwork<T>& core, const std::string& name, double scale, std::uint64_t seed) {
  const Initializer initializer{initializer_of_name(name), scale};
  core.writing([&](Network<T>& network, auto&) { network.initialize(initializer, seed); });
}

template <class T>
Array<T> predict_into(CoreNetwork<T>& core, const Array<T>& x, Array<T> out, int threads) {
  const Layout& layout = core.layout();
  const ConstMatrixView<T> inputs = const_matrix(x, "X", layout.n_inputs());
  const MatrixView<T> outputs = matrix(out, "out", inputs.rows, layout.n_outputs());
  core.reading([&](Network<T>& network) {
    predict(layout, network.parameters(), inputs, outputs, threads);
  });
  return out;
}

template <class T>
Array<T> predict_new(CoreNetwork<T>& core, const Array<T>& x, int threads) {
  check(x.ndim() == 2, "X must have 2 dimensions, not ", x.ndim());
  return predict_into(core, x, empty_matrix<T>(x.shape(0), core.layout().n_outputs()), threads);
}

// (z, a) of every layer behind the input, each (m, n_out).
template <class T>
std::pair<std::vector<Array<T>>, std::vector<Array<T>>> forward(CoreNetwork<T>& core,
                                                                const Array<T>& x, int threads) {
  const Layout& layout = core.layout();
  const ConstMatrixView<T> inputs = const_matrix(x, "X", layout.n_inputs());
  std::vector<Array<T>> z;
  std::vector<Array<T>> a;
  Traces<T> traces;
  for (const Layer& layer : layout.layers()) {
    z.push_back(empty_matrix<T>(inputs.rows, layer.n_out));
    a.push_back(empty_matrix<T>(inputs.rows, layer.n_out));
    traces.z.push_back(matrix(z.back(), "z", inputs.rows, layer.n_out));
    traces.a.push_back(matrix(a.back(), "a", inputs.rows, layer.n_out));
    traces.out.push_back(traces.a.back());
  }
  core.reading([&](Network<T>& network) {
    const Propagation<T> pass{layout, network.parameters(), inputs, traces};
    const RowBlocks blocks(inputs.rows, layout.forward_operations());
    const double operations = static_cast<double>(inputs.rows) * layout.forward_operations();
    const int workers = layout.has_custom() ? 1 : threads_for(operations, threads);
    parallel_for(blocks.count(), workers,
                 [&](index_t block) { pass.forward(blocks[block], true); });
  });
  return {std::move(z), std::move(a)};
}

template <class T>
Dataset<T> dataset_of(const CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
                      const std::optional<Array<T>>& values,
                      const std::optional<Array<T>>& sample_weight) {
  const Layout& layout = core.layout();
  return dataset(x, labels, values, sample_weight, layout.n_inputs(), layout.n_outputs());
}

template <class T>
double mean_loss(CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
                 const std::optional<Array<T>>& values,
                 const std::optional<Array<T>>& sample_weight, const CoreLoss& loss, int threads) {
  const Dataset<T> data = dataset_of(core, x, labels, values, sample_weight);
  const Loss& kind = loss.for_output(core.layout().output());
  return core.reading([&](Network<T>& network) {
    BatchPass<T> pass(core.layout(), kind, std::min(kLossRows, data.size()), threads);
    return dataset_loss<T>(pass, network.parameters(), data).mean();
  });
}

template <class T>
double gradient(CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
                const std::optional<Array<T>>& values, const std::optional<Array<T>>& sample_weight,
                const CoreLoss& loss, Array<T> out, int threads) {
  const Dataset<T> data = dataset_of(core, x, labels, values, sample_weight);
  const Loss& kind = loss.for_output(core.layout().output());
  T* arena = vector(out, "out", core.layout().n_parameters());
  return core.reading([&](Network<T>& network) {
    BatchPass<T> pass(core.layout(), kind, data.size(), threads);
    return pass.gradient(network.parameters(), {data, nullptr, 0, data.size()}, arena).mean();
  });
}

template <class T>
void pull_back(CoreNetwork<T>& core, const Array<T>& x, const Array<T>& dy, Array<T> out,
               Array<T> dx, int threads) {
  const Layout& layout = core.layout();
  const ConstMatrixView<T> inputs = const_matrix(x, "X", layout.n_inputs());
  const ConstMatrixView<T> output_gradient = const_matrix(dy, "dY", layout.n_outputs());
  check(inputs.rows >= 1, "X must have at least 1 row");
  check(output_gradient.rows == inputs.rows, "dY must have ", inputs.rows, " rows, not ",
        output_gradient.rows);
  T* arena = vector(out, "out", layout.n_parameters());
  const MatrixView<T> input_gradient = matrix(dx, "dX", inputs.rows, layout.n_inputs());
  core.reading([&](Network<T>& network) {
    BatchPass<T> pass(layout, Loss{}, inputs.rows, threads);
    pass.pull_back(network.parameters(), inputs, output_gradient, arena, input_gradient);
  });
}

// dz of every layer: what reached it of the gradient of the mean loss.
template <class T>
std::vector<Array<T>> layer_gradients(CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
                                      const std::optional<Array<T>>& values,
                                      const std::optional<Array<T>>& sample_weight,
                                      const CoreLoss& loss, int threads) {
  const Dataset<T> data = dataset_of(core, x, labels, values, sample_weight);
  const Loss& kind = loss.for_output(core.layout().output());
  std::vector<Array<T>> dz;
  std::vector<MatrixView<T>> views;
  for (const Layer& layer : core.layout().layers()) {
    dz.push_back(empty_matrix<T>(data.size(), layer.n_out));
    views.push_back(matrix(dz.back(), "dz", data.size(), layer.n_out));
  }
  core.reading([&](Network<T>& network) {
    BatchPass<T> pass(core.layout(), kind, data.size(), threads);
    pass.layer_gradients(network.parameters(), {data, nullptr, 0, data.size()}, views);
  });
  return dz;
}

template <class T>
double step(CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
            const std::optional<Array<T>>& values, const std::optional<Array<T>>& sample_weight,
            const CoreLoss& loss, Optimizer<T>& optimizer, const Regularization& regularization,
            std::uint64_t seed, int threads) {
  const Dataset<T> data = dataset_of(core, x, labels, values, sample_weight);
  const Loss& kind = loss.for_output(core.layout().output());
  check(optimizer.n_parameters() == core.layout().n_parameters(), "optimizer must hold ",
        core.layout().n_parameters(), " parameters, not ", optimizer.n_parameters());
  const DropoutDraws draws{seed, 0};
  return core.writing([&](Network<T>&, auto&) {
    return core.step(data, kind, optimizer, regularization, draws, threads).mean();
  });
}

template <class T>
void bind_network(py::module_& module, const char* name) {
  py::class_<CoreNetwork<T>>(module, name)
      .def(py::init<const std::vector<index_t>&, const std::vector<ActivationSpec>&, bool,
                    const std::vector<double>&>(),
           py::arg("widths"), py::arg("activations"), py::arg("bias"), py::arg("dropout"))
      .def_property_readonly("parameters", &parameters<T>)
      .def("initialize", &initialize<T>, py::arg("init"), py::arg("scale"), py::arg("seed"))
      .def("predict", &predict_new<T>, py::arg("X").noconvert(), py::arg("threads"))
      .def("predict_into", &predict_into<T>, py::arg("X").noconvert(), py::arg("out").noconvert(),
           py::arg("threads"))
      .def("forward", &forward<T>, py::arg("X").noconvert(), py::arg("threads"))
      .def("loss", &mean_loss<T>, py::arg("X").noconvert(), py::arg("labels").noconvert(),
           py::arg("values").noconvert(), py::arg("sample_weight").noconvert(), py::arg("loss"),
           py::arg("threads"))
      .def("gradient", &gradient<T>, py::arg("X").noconvert(), py::arg("labels").noconvert(),
           py::arg("values").noconvert(), py::arg("sample_weight").noconvert(), py::arg("loss"),
           py::arg("out").noconvert(), py::arg("threads"))
      .def("pull_back", &pull_back<T>, py::arg("X").noconvert(), py::arg("dY").noconvert(),
           py::arg("out").noconvert(), py::arg("dX").noconvert(), py::arg("threads"))
      .def("layer_gradients", &layer_gradients<T>, py::arg("X").noconvert(),
           py::arg("labels").noconvert(), py::arg("values").noconvert(),
           py::arg("sample_weight").noconvert(), py::arg("loss"), py::arg("threads"))
      .def("step", &step<T>, py::arg("X").noconvert(), py::arg("labels").noconvert(),
           py::arg("values").noconvert(), py::arg("sample_weight").noconvert(), py::arg("loss"),
           py::arg("optimizer"), py::arg("regularization"), py::arg("seed"), py::arg("threads"));
}

}  // namespace

void bind_networks(py::module_& module) {
  py::class_<CoreLoss>(module, "Loss")
      .def(py::init<const std::string&, double, double, const py::object&>(), py::arg("name"),
           py::arg("parameter"), py::arg("label_smoothing"), py::arg("function"));
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
}

}  // namespace pymlp::bindings
