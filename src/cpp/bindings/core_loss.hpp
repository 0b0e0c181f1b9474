// CoreLoss: a loss as Python holds it, with the user function of a custom loss.
#pragma once

#include <memory>
#include <string>

#include "bindings/custom_functions.hpp"

namespace pymlp::bindings {

class CoreLoss {
 public:
  CoreLoss(const std::string& name, double parameter, double label_smoothing,
           const py::object& function)
      : loss_(make_loss(name, parameter, label_smoothing)) {
    check((loss_.kind == LossKind::custom) == !function.is_none(),
          "a function goes with loss 'custom', and only with that");
    if (!function.is_none()) {
      function_ = std::make_unique<PythonLoss>(function);
      loss_.custom = function_.get();
    }
  }

  const Loss& for_output(const Activation& output) const {
    check_pair(loss_, output);
    return loss_;
  }

  int traverse(visitproc visit, void* arg) const {
    return function_ ? function_->traverse(visit, arg) : 0;
  }
  void clear() {
    if (function_) function_->clear();
  }

 private:
  Loss loss_;
  std::unique_ptr<PythonLoss> function_;
};

}  // namespace pymlp::bindings
