// CoreNetwork: a network as Python holds it, with the memory that single steps reuse.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "model/batch_pass.hpp"
#include "model/network.hpp"

namespace pymlp::bindings {

template <class T>
class CoreNetwork {
 public:
  explicit CoreNetwork(Layout layout) : network_(std::move(layout)) {}

  Network<T>& network() { return network_; }
  const Layout& layout() const { return network_.layout(); }

  // One step on one batch; the caller holds the network's lock. Loops in Python call this with
  // batches of one size, so the memory is kept from call to call.
  BatchLoss step(const Dataset<T>& data, LossKind loss, Optimizer<T>& optimizer, int threads) {
    if (!pass_ || loss != pass_loss_ || threads != pass_threads_ ||
        data.size() > pass_->capacity()) {
      pass_.emplace(layout(), loss, data.size(), threads);
      pass_loss_ = loss;
      pass_threads_ = threads;
    }
    if (gradient_.size() == 0) gradient_ = Buffer<T>(layout().n_parameters());
    return pass_->step(network_.parameters(), {data, nullptr, 0, data.size()}, gradient_.data(),
                       optimizer, nullptr);
  }

 private:
  Network<T> network_;
  std::optional<BatchPass<T>> pass_;
  LossKind pass_loss_ = LossKind::mse;
  int pass_threads_ = 0;
  Buffer<T> gradient_;
};

}  // namespace pymlp::bindings
