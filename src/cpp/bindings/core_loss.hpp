// CoreLoss: a loss as Python holds it, with the user function of a custom loss.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/custom_functions.hpp"
#include "model/program.hpp"

namespace pymlp::bindings {

class CoreLoss {
 public:
  CoreLoss(const std::string& name, std::vector<double> parameters, double label_smoothing,
           const py::object& function)
      : parameters_(std::move(parameters)), loss_(make_loss(name, parameters_, label_smoothing)) {
    check((loss_.kind == LossKind::custom) == !function.is_none(),
          "a function goes with loss 'custom', and only with that");
    if (!function.is_none()) {
      function_ = std::make_unique<PythonLoss>(function);
      loss_.custom = function_.get();
    }
  }

  const Loss& for_outputs(const Program& program) const {
    check_pair(loss_, program.output());
    check_outputs(loss_, program.n_outputs());
    return loss_;
  }

  int traverse(visitproc visit, void* arg) const {
    return function_ ? function_->traverse(visit, arg) : 0;
  }
  void clear() {
    if (function_) function_->clear();
  }

 private:
  std::vector<double> parameters_;  // which the loss reads
  Loss loss_;
  std::unique_ptr<PythonLoss> function_;
};

}  // namespace pymlp::bindings
