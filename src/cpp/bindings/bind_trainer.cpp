// Trainers: many epochs in C++, with a look at Python's signals every 30 ms.
#include <pybind11/stl.h>

#include <algorithm>
#include <set>

#include "bindings/arrays.hpp"
#include "bindings/bind.hpp"
#include "bindings/collect_rings.hpp"
#include "bindings/core_loss.hpp"
#include "bindings/core_network.hpp"
#include "model/together.hpp"
#include "model/trainer.hpp"

namespace pymlp::bindings {

namespace {

// X, labels or None, values or None, sample_weight or None
template <class T>
using DatasetArrays = std::tuple<Array<T>, std::optional<Array<std::int32_t>>,
                                 std::optional<Array<T>>, std::optional<Array<T>>>;

// Which rows of a data set are meant; none: all.
using RowNumbers = std::optional<Array<index_t>>;

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
              const FitOptions& options, const RowNumbers& rows, const RowNumbers& validation_rows)
      : kept_{py::cast(&core), py::cast(&optimizer), py::cast(&loss)},
        core_(core),
        optimizer_(optimizer),
        training_(std::move(training)),
        validation_(std::move(validation)),
        training_source_(source(training_, rows, core.program(), training_kept_)),
        validation_source_(
            optional_source(validation_, validation_rows, core.program(), validation_kept_)),
        trainer_(core.network(), optimizer, loss.for_outputs(core.program()), training_source_,
                 validation_source_ ? &*validation_source_ : nullptr,
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
  Trainer<T>& trainer() {
    core_.check_trained_here();
    return trainer_;
  }
  std::string status() const { return name_of(trainer().status()); }
  const CoreNetwork<T>* core() const { return &core_; }
  const Optimizer<T>* optimizer() const { return &optimizer_; }
  void give_values(std::size_t which, std::vector<double> values) {
    core_.check_trained_here();
    check(!values.empty(), "values must be at least 1");
    trainer_.give_values(which, std::move(values));
  }

  // (epochs, steps, arena, averaged, state, steps and weight_sum of the optimiser)
  auto boundary() {
    const Boundary<T> at = trainer().boundary();
    return std::tuple(at.epochs, at.steps, array_of(at.parameters), array_of(at.averaged),
                      array_of(at.state), at.progress.steps, at.progress.weight_sum);
  }
  void go_on(index_t epochs, index_t steps, const Array<T>& averaged) {
    const std::span<const T> values{averaged.data(), static_cast<std::size_t>(averaged.size())};
    train([&](Interrupt& interrupt) {
      trainer_.go_on(epochs, steps, values, interrupt);
      return trainer_.status();
    });
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
  static Array<T> array_of(const Buffer<T>& values) {
    return Array<T>(values.size(), values.data());
  }

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
    options.batch_size = std::min(options.batch_size, training_source_.size());
    options.arithmetic = core.arithmetic_of_call();
    return options;
  }

  // What is checked is a copy's: were it changed while it is in use, it would lead elsewhere.
  struct Kept {
    Buffer<std::int32_t> labels;
    Buffer<index_t> rows;
  };

  static ArraySource<T> source(const DatasetArrays<T>& arrays, const RowNumbers& rows,
                               const Program& program, Kept& kept) {
    const auto& [x, labels, values, sample_weight] = arrays;
    if (!rows) return source_of(x, labels, values, sample_weight, program, kept.labels);
    kept.rows = row_numbers(*rows, x.shape(0));
    return source_of(x, labels, values, sample_weight, program, kept.labels, kept.rows.span());
  }

  static std::optional<ArraySource<T>> optional_source(
      const std::optional<DatasetArrays<T>>& arrays, const RowNumbers& rows, const Program& program,
      Kept& kept) {
    if (!arrays) return std::nullopt;
    return source(*arrays, rows, program, kept);
  }

  std::array<py::object, 3> kept_;  // whose memory the trainer works on
  CoreNetwork<T>& core_;
  Optimizer<T>& optimizer_;
  DatasetArrays<T> training_;
  std::optional<DatasetArrays<T>> validation_;
  Kept training_kept_;
  Kept validation_kept_;
  ArraySource<T> training_source_;
  std::optional<ArraySource<T>> validation_source_;
  Trainer<T> trainer_;
};

// Several trainings of this thread.
template <class T>
void train_all(const std::vector<CoreTrainer<T>*>& given, index_t epochs, double seconds,
               int threads) {
  check(!given.empty(), "trainers must be at least 1");
  check(epochs >= 1, "epochs must be at least 1, not ", epochs);
  std::vector<Trainer<T>*> trainers;
  std::set<const void*> distinct;
  for (CoreTrainer<T>* trainer : given) {
    check(trainer != nullptr, "trainers must not be None");
    trainers.push_back(&trainer->trainer());
    distinct.insert({trainer, trainer->core(), trainer->optimizer()});
  }
  check(distinct.size() == 3 * given.size(), "trainers must be of different networks");
  check(threads >= 1 && threads <= kMaxThreads, "threads must be from 1 to ", kMaxThreads, ", not ",
        threads);
  Signals signals;
  {
    const gil::Released released;
    train_together<T>(trainers, epochs, seconds, threads, signals.interrupt());
  }
  signals.raise();
}

template <class T>
void bind_trainer(py::module_& module, const char* name) {
  py::class_<CoreTrainer<T>>(module, name, py::custom_type_setup(&collect_rings<CoreTrainer<T>>))
      .def(py::init<CoreNetwork<T>&, Optimizer<T>&, const CoreLoss&, DatasetArrays<T>,
                    std::optional<DatasetArrays<T>>, const FitOptions&, const RowNumbers&,
                    const RowNumbers&>(),
           py::arg("network"), py::arg("optimizer"), py::arg("loss"),
           py::arg("training").noconvert(), py::arg("validation").noconvert(), py::arg("options"),
           py::arg("rows").noconvert() = py::none(),
           py::arg("validation_rows").noconvert() = py::none())
      .def("run", &CoreTrainer<T>::run, py::arg("epochs"), py::arg("seconds"))
      .def("close_epoch", &CoreTrainer<T>::close_epoch)
      .def("give_values", &CoreTrainer<T>::give_values, py::arg("which"), py::arg("values"))
      .def_property_readonly("status", &CoreTrainer<T>::status)
      .def_property_readonly("seconds",
                             [](const CoreTrainer<T>& t) { return t.trainer().seconds(); })
      .def_property_readonly("lacks_values",
                             [](const CoreTrainer<T>& t) { return t.trainer().lacks_values(); })
      .def("boundary", &CoreTrainer<T>::boundary)
      .def("go_on", &CoreTrainer<T>::go_on, py::arg("epochs"), py::arg("steps"),
           py::arg("averaged").noconvert())
      .def("take_records", &CoreTrainer<T>::take_records)
      .def_property_readonly("samples_seen",
                             [](const CoreTrainer<T>& t) { return t.trainer().samples_seen(); });
  module.def("train_together", &train_all<T>, py::arg("trainers"), py::arg("epochs"),
             py::arg("seconds"), py::arg("threads"));
}

void bind_options(py::module_& module) {
  py::class_<FitOptions>(module, "FitOptions")
      .def(py::init([](index_t epochs, index_t batch_size, bool shuffle, std::uint64_t seed,
                       int threads, const Regularization& regularization,
                       std::vector<ScheduledNumber> scheduled, double average,
                       std::vector<bool> frozen, bool drop_last) {
             return FitOptions{epochs,  batch_size,       shuffle,        drop_last,
                               seed,    threads,          regularization, std::move(scheduled),
                               average, std::move(frozen)};
           }),
           py::arg("epochs"), py::arg("batch_size"), py::arg("shuffle"), py::arg("seed"),
           py::arg("threads"), py::arg("regularization"), py::arg("scheduled"), py::arg("average"),
           py::arg("frozen"), py::arg("drop_last") = false);
}

}  // namespace

void bind_trainers(py::module_& module) {
  bind_options(module);
  module.def(
      "steps_of_epoch",
      [](index_t samples, index_t batch_size, bool joins, bool drop_last) {
        check(samples >= 1 && batch_size >= 1, "samples and batch_size must be at least 1");
        return steps_of_epoch(samples, batch_size, joins, drop_last);
      },
      py::arg("samples"), py::arg("batch_size"), py::arg("joins"), py::arg("drop_last") = false);
  bind_trainer<float>(module, "TrainerFloat32");
  bind_trainer<double>(module, "TrainerFloat64");
}

}  // namespace pymlp::bindings
