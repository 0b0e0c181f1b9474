// Networks: parameters as a view, outputs, losses, gradients and single steps.
#include <pybind11/stl.h>

#include <shared_mutex>

#include "base/parallel.hpp"
#include "bindings/arrays.hpp"
#include "bindings/bind.hpp"
#include "bindings/core_network.hpp"
#include "model/inference.hpp"

namespace pymlp::bindings {

namespace {

using ActivationSpec = std::pair<std::string, std::vector<double>>;
using Labels = std::optional<Array<std::int32_t>>;

constexpr index_t kLossRows = 2048;  // at a time, where only the loss is wanted

// While a reader works other readers may too, but no step writes. The lock is waited for without
// the GIL: its holder may need the GIL before letting go.
template <class T, class Work>
auto reading(CoreNetwork<T>& core, Work&& work) {
  const py::gil_scoped_release released;
  const std::shared_lock lock(core.network().mutex());
  return work(core.network());
}

template <class T, class Work>
auto writing(CoreNetwork<T>& core, Work&& work) {
  const py::gil_scoped_release released;
  const std::unique_lock lock(core.network().mutex());
  return work(core.network());
}

template <class T>
std::unique_ptr<CoreNetwork<T>> make(const std::vector<index_t>& widths,
                                     const std::vector<ActivationSpec>& specs, bool bias) {
  std::vector<Activation> activations;
  for (const auto& [name, parameters] : specs) {
    activations.push_back(make_activation(name, parameters));
  }
  return std::make_unique<CoreNetwork<T>>(Layout(widths, activations, bias));
}

// The array borrows the arena and keeps its owner alive.
template <class T>
Array<T> parameters(const py::object& self) {
  auto& core = self.cast<CoreNetwork<T>&>();
  return Array<T>(core.layout().n_parameters(), core.network().parameters(), self);
}

template <class T>
void initialize(CoreNetwork<T>& core, const std::string& name, double scale, std::uint64_t seed) {
  const Initializer initializer{initializer_of_name(name), scale};
  writing(core, [&](Network<T>& network) { network.initialize(initializer, seed); });
}

template <class T>
Array<T> predict_into(CoreNetwork<T>& core, const Array<T>& x, Array<T> out, int threads) {
  const Layout& layout = core.layout();
  const ConstMatrixView<T> inputs = const_matrix(x, "X", layout.n_inputs());
  const MatrixView<T> outputs = matrix(out, "out", inputs.rows, layout.n_outputs());
  reading(core, [&](Network<T>& network) {
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
  }
  reading(core, [&](Network<T>& network) {
    const Propagation<T> pass{layout, network.parameters(), inputs, traces};
    const RowBlocks blocks(inputs.rows);
    const double operations = static_cast<double>(inputs.rows) * layout.forward_operations();
    parallel_for(blocks.count(), threads_for(operations, threads),
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

LossKind checked_loss(const std::string& name, const Layout& layout) {
  const LossKind loss = loss_of_name(name);
  check_pair(loss, layout.output());
  return loss;
}

template <class T>
double loss(CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
            const std::optional<Array<T>>& values, const std::optional<Array<T>>& sample_weight,
            const std::string& name, int threads) {
  const Dataset<T> data = dataset_of(core, x, labels, values, sample_weight);
  const LossKind kind = checked_loss(name, core.layout());
  return reading(core, [&](Network<T>& network) {
    BatchPass<T> pass(core.layout(), kind, std::min(kLossRows, data.size()), threads);
    return dataset_loss<T>(pass, network.parameters(), data).mean();
  });
}

template <class T>
double gradient(CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
                const std::optional<Array<T>>& values, const std::optional<Array<T>>& sample_weight,
                const std::string& name, Array<T> out, int threads) {
  const Dataset<T> data = dataset_of(core, x, labels, values, sample_weight);
  const LossKind kind = checked_loss(name, core.layout());
  T* arena = vector(out, "out", core.layout().n_parameters());
  return reading(core, [&](Network<T>& network) {
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
  reading(core, [&](Network<T>& network) {
    BatchPass<T> pass(layout, LossKind::mse, inputs.rows, threads);
    pass.pull_back(network.parameters(), inputs, output_gradient, arena, input_gradient);
  });
}

template <class T>
double step(CoreNetwork<T>& core, const Array<T>& x, const Labels& labels,
            const std::optional<Array<T>>& values, const std::optional<Array<T>>& sample_weight,
            const std::string& name, Optimizer<T>& optimizer, int threads) {
  const Dataset<T> data = dataset_of(core, x, labels, values, sample_weight);
  const LossKind kind = checked_loss(name, core.layout());
  check(optimizer.n_parameters() == core.layout().n_parameters(), "optimizer must hold ",
        core.layout().n_parameters(), " parameters, not ", optimizer.n_parameters());
  return writing(core,
                 [&](Network<T>&) { return core.step(data, kind, optimizer, threads).mean(); });
}

template <class T>
void bind_network(py::module_& module, const char* name) {
  py::class_<CoreNetwork<T>>(module, name)
      .def(py::init(&make<T>), py::arg("widths"), py::arg("activations"), py::arg("bias"))
      .def_property_readonly("parameters", &parameters<T>)
      .def("initialize", &initialize<T>, py::arg("init"), py::arg("scale"), py::arg("seed"))
      .def("predict", &predict_new<T>, py::arg("X").noconvert(), py::arg("threads"))
      .def("predict_into", &predict_into<T>, py::arg("X").noconvert(), py::arg("out").noconvert(),
           py::arg("threads"))
      .def("forward", &forward<T>, py::arg("X").noconvert(), py::arg("threads"))
      .def("loss", &loss<T>, py::arg("X").noconvert(), py::arg("labels").noconvert(),
           py::arg("values").noconvert(), py::arg("sample_weight").noconvert(), py::arg("loss"),
           py::arg("threads"))
      .def("gradient", &gradient<T>, py::arg("X").noconvert(), py::arg("labels").noconvert(),
           py::arg("values").noconvert(), py::arg("sample_weight").noconvert(), py::arg("loss"),
           py::arg("out").noconvert(), py::arg("threads"))
      .def("pull_back", &pull_back<T>, py::arg("X").noconvert(), py::arg("dY").noconvert(),
           py::arg("out").noconvert(), py::arg("dX").noconvert(), py::arg("threads"))
      .def("step", &step<T>, py::arg("X").noconvert(), py::arg("labels").noconvert(),
           py::arg("values").noconvert(), py::arg("sample_weight").noconvert(), py::arg("loss"),
           py::arg("optimizer"), py::arg("threads"));
}

}  // namespace

void bind_networks(py::module_& module) {
  bind_network<float>(module, "NetworkFloat32");
  bind_network<double>(module, "NetworkFloat64");
}

}  // namespace pymlp::bindings
