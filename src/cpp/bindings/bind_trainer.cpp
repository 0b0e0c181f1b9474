// Trainers: many epochs in C++, with a look at Python's signals every 30 ms.
#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/arrays.hpp"
#include "bindings/bind.hpp"
#include "bindings/collect_rings.hpp"
#include "bindings/core_loss.hpp"
#include "bindings/core_network.hpp"
#include "model/trainer.hpp"

namespace pymlp::bindings {

namespace {

// X, labels or None, values or None, sample_weight or None
template <class T>
using DatasetArrays = std::tuple<Array<T>, std::optional<Array<std::int32_t>>,
                                 std::optional<Array<T>>, std::optional<Array<T>>>;

const char* name_of(Status status) {
  switch (status) {
    case Status::running:
      return "running";
    case Status::epochs:
      return "epochs";
    case Status::diverged:
      return "diverged";
    case Status::interrupted:
      return "interrupted";
  }
  return "unknown";
}

// Holds the Python objects whose memory the trainer works on.
template <class T>
class CoreTrainer {
 public:
  CoreTrainer(CoreNetwork<T>& core, Optimizer<T>& optimizer, const CoreLoss& loss,
              DatasetArrays<T> training, std::optional<DatasetArrays<T>> validation,
              const FitOptions& options)
      : kept_{py::cast(&core), py::cast(&optimizer), py::cast(&loss)},
        core_(core),
        training_(std::move(training)),
        validation_(std::move(validation)),
        training_source_(source(training_, core.program(), training_labels_)),
        validation_source_(optional_source(validation_, core.program(), validation_labels_)),
        trainer_(core.network(), optimizer, loss.for_output(core.program().output()),
                 training_source_, validation_source_ ? &*validation_source_ : nullptr,
                 checked(options, optimizer, core)) {}

  std::string run(index_t epochs, double seconds) {
    return train([&](Interrupt& interrupt) { return trainer_.run(epochs, seconds, interrupt); });
  }

  std::string close_epoch() {
    return train([&](Interrupt& interrupt) { return trainer_.close_epoch(interrupt); });
  }

  const Trainer<T>& trainer() const {
    core_.check_trained_here();
    return trainer_;
  }
  void give_values(std::size_t which, std::vector<double> values) {
    core_.check_trained_here();
    check(!values.empty(), "values must be at least 1");
    trainer_.give_values(which, std::move(values));
  }

  // What the trainer keeps has rings of its own to break.
  int traverse(visitproc visit, void* arg) const {
    for (const py::object& kept : kept_) Py_VISIT(kept.ptr());
    return 0;
  }
  void clear() {}

  // (loss, penalty, validation loss, learning rate) of the epochs that ended since the last call.
  auto take_records() {
    core_.check_trained_here();
    Epochs epochs = trainer_.take_history();
    return std::tuple(std::move(epochs.loss), std::move(epochs.penalty),
                      std::move(epochs.validation_loss), std::move(epochs.learning_rate));
  }

 private:
  // On the thread that began the network's training. It may take hours and needs no Python object.
  template <class Work>
  std::string train(Work&& work) {
    core_.check_trained_here();
    Signals signals;
    Status status{};
    {
      const gil::Released released;
      status = work(signals.interrupt());
    }
    signals.raise();
    return name_of(status);
  }

  FitOptions checked(FitOptions options, const Optimizer<T>& optimizer,
                     const CoreNetwork<T>& core) {
    const index_t samples = std::get<0>(training_).shape(0);
    check(options.epochs >= 1, "epochs must be at least 1, not ", options.epochs);
    check(options.batch_size >= 1, "batch_size must be at least 1, not ", options.batch_size);
    const auto layers = static_cast<std::size_t>(core.program().n_layers());
    check(options.frozen.empty() || options.frozen.size() == layers, "frozen must be ", layers,
          " flags, one for each layer, not ", options.frozen.size());
    check(options.frozen.empty() || std::ranges::count(options.frozen, false) > 0,
          "frozen leaves no layer to train");
    check(options.average >= 0.0 && options.average < 1.0, "average must be in [0, 1), not ",
          options.average);
    check(optimizer.n_parameters() == core.program().n_parameters(), "optimizer must hold ",
          core.program().n_parameters(), " parameters, not ", optimizer.n_parameters());
    options.batch_size = std::min(options.batch_size, samples);
    options.arithmetic = core.arithmetic_of_call();
    return options;
  }

  static ArraySource<T> source(const DatasetArrays<T>& arrays, const Program& program,
                               Buffer<std::int32_t>& labels_kept) {
    const auto& [x, labels, values, sample_weight] = arrays;
    return source_of(x, labels, values, sample_weight, program, labels_kept);
  }

  static std::optional<ArraySource<T>> optional_source(
      const std::optional<DatasetArrays<T>>& arrays, const Program& program,
      Buffer<std::int32_t>& labels_kept) {
    if (!arrays) return std::nullopt;
    return source(*arrays, program, labels_kept);
  }

  std::array<py::object, 3> kept_;  // whose memory the trainer works on
  CoreNetwork<T>& core_;
  DatasetArrays<T> training_;
  std::optional<DatasetArrays<T>> validation_;
  Buffer<std::int32_t> training_labels_;
  Buffer<std::int32_t> validation_labels_;
  ArraySource<T> training_source_;
  std::optional<ArraySource<T>> validation_source_;
  Trainer<T> trainer_;
};

template <class T>
void bind_trainer(py::module_& module, const char* name) {
  py::class_<CoreTrainer<T>>(module, name, py::custom_type_setup(&collect_rings<CoreTrainer<T>>))
      .def(py::init<CoreNetwork<T>&, Optimizer<T>&, const CoreLoss&, DatasetArrays<T>,
                    std::optional<DatasetArrays<T>>, const FitOptions&>(),
           py::arg("network"), py::arg("optimizer"), py::arg("loss"),
           py::arg("training").noconvert(), py::arg("validation").noconvert(), py::arg("options"))
      .def("run", &CoreTrainer<T>::run, py::arg("epochs"), py::arg("seconds"))
      .def("close_epoch", &CoreTrainer<T>::close_epoch)
      .def("give_values", &CoreTrainer<T>::give_values, py::arg("which"), py::arg("values"))
      .def_property_readonly("lacks_values",
                             [](const CoreTrainer<T>& t) { return t.trainer().lacks_values(); })
      .def("take_records", &CoreTrainer<T>::take_records)
      .def_property_readonly("samples_seen",
                             [](const CoreTrainer<T>& t) { return t.trainer().samples_seen(); });
}

void bind_options(py::module_& module) {
  py::class_<FitOptions>(module, "FitOptions")
      .def(py::init([](index_t epochs, index_t batch_size, bool shuffle, std::uint64_t seed,
                       int threads, const Regularization& regularization,
                       std::vector<ScheduledNumber> scheduled, double average,
                       std::vector<bool> frozen) {
             return FitOptions{epochs,
                               batch_size,
                               shuffle,
                               seed,
                               threads,
                               regularization,
                               std::move(scheduled),
                               average,
                               std::move(frozen)};
           }),
           py::arg("epochs"), py::arg("batch_size"), py::arg("shuffle"), py::arg("seed"),
           py::arg("threads"), py::arg("regularization"), py::arg("scheduled"), py::arg("average"),
           py::arg("frozen"));
}

}  // namespace

void bind_trainers(py::module_& module) {
  bind_options(module);
  module.def(
      "steps_of_epoch",
      [](index_t samples, index_t batch_size, bool joins) {
        check(samples >= 1 && batch_size >= 1, "samples and batch_size must be at least 1");
        return steps_of_epoch(samples, batch_size, joins);
      },
      py::arg("samples"), py::arg("batch_size"), py::arg("joins"));
  bind_trainer<float>(module, "TrainerFloat32");
  bind_trainer<double>(module, "TrainerFloat64");
}

}  // namespace pymlp::bindings
