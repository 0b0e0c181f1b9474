// Optimisers: a rule and its state for a given number of parameters.
#include "bindings/arrays.hpp"
#include "bindings/bind.hpp"
#include "model/optimizer.hpp"

namespace pymlp::bindings {

namespace {

OptimizerKind kind_of_name(const std::string& name) {
  if (name == "sgd") return OptimizerKind::sgd;
  if (name == "rmsprop") return OptimizerKind::rmsprop;
  if (name == "adam") return OptimizerKind::adam;
  fail("optimizer must be sgd, rmsprop or adam, not '", name, "'");
}

OptimizerRule rule_of(const std::string& name, const py::kwargs& options) {
  OptimizerRule rule;
  rule.kind = kind_of_name(name);
  for (const auto& [key, value] : options) {
    const auto option = key.cast<std::string>();
    if (option == "learning_rate")
      rule.learning_rate = value.cast<double>();
    else if (option == "momentum")
      rule.momentum = value.cast<double>();
    else if (option == "nesterov")
      rule.nesterov = value.cast<bool>();
    else if (option == "beta" || option == "beta1")
      rule.beta1 = value.cast<double>();
    else if (option == "beta2")
      rule.beta2 = value.cast<double>();
    else if (option == "epsilon")
      rule.epsilon = value.cast<double>();
    else if (option == "centered")
      rule.centered = value.cast<bool>();
    else
      fail("optimizer option '", option, "' is not known");
  }
  return rule;
}

// The array borrows the state and keeps its owner alive.
template <class T>
Array<T> state(const py::object& self) {
  auto& optimizer = self.cast<Optimizer<T>&>();
  return Array<T>(optimizer.state().size(), optimizer.state().data(), self);
}

template <class T>
void update(Optimizer<T>& optimizer, Array<T> parameters, const Array<T>& gradient) {
  const index_t n = optimizer.n_parameters();
  T* w = vector(parameters, "parameters", n);
  const T* g = const_vector(gradient, "gradient", n);
  optimizer.begin_step();
  optimizer.update(w, g, 0, n);
}

template <class T>
void bind_optimizer(py::module_& module, const char* name) {
  py::class_<Optimizer<T>>(module, name)
      .def(py::init([](const std::string& rule, index_t n_parameters, const py::kwargs& options) {
             check(n_parameters >= 1, "n_parameters must be at least 1, not ", n_parameters);
             return Optimizer<T>(rule_of(rule, options), n_parameters);
           }),
           py::arg("rule"), py::arg("n_parameters"))
      .def_property_readonly("n_parameters", &Optimizer<T>::n_parameters)
      .def_property(
          "learning_rate",
          [](const Optimizer<T>& optimizer) { return optimizer.rule().learning_rate; },
          &Optimizer<T>::set_learning_rate)
      .def_property_readonly("state", &state<T>)
      .def_property("steps", &Optimizer<T>::steps, &Optimizer<T>::set_steps)
      .def("update", &update<T>, py::arg("parameters").noconvert(),
           py::arg("gradient").noconvert());
}

}  // namespace

void bind_optimizers(py::module_& module) {
  bind_optimizer<float>(module, "OptimizerFloat32");
  bind_optimizer<double>(module, "OptimizerFloat64");
}

}  // namespace pymlp::bindings
