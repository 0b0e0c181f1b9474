// WriteGuard: the parameters that user functions are given the chance to write, and put back.
#pragma once

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/check.hpp"
#include "model/network.hpp"

namespace pymlp {

template <class T>
class WriteGuard {
 public:
  index_t size() const { return before_.size(); }
  // result = work(), which may call user functions. What they, or other threads, wrote to the
  // parameters meanwhile is put back, whatever comes; where nothing else came, it is refused.
  template <class Work>
  auto watch(Network<T>& network, const Interrupt* interrupt, Work&& work) {
    if (before_.size() == 0) before_ = Buffer<T>(network.program().arena_size());
    std::copy_n(network.parameters(), before_.size(), before_.data());
    const PutBack put_back{*this, network};
    auto result = work();
    check_state(came(interrupt) || !written(network),
                "the parameters were written in the middle of a step, by a user function or by "
                "another thread: the gradients belong to the ones before, which are put back; "
                "write them in a callback, between epochs");
    return result;
  }

 private:
  struct PutBack {
    const WriteGuard& guard;
    Network<T>& network;
    ~PutBack() {
      if (!guard.written(network)) return;
      const std::unique_lock lock(network.access().mutex());
      std::ranges::copy(guard.before_.span(), network.parameters());
    }
  };

  bool written(const Network<T>& network) const {
    const auto bytes = static_cast<std::size_t>(before_.size()) * sizeof(T);
    return std::memcmp(network.parameters(), before_.data(), bytes) != 0;
  }

  Buffer<T> before_;
};

}  // namespace pymlp
