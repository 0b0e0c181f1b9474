// Pulse: while C++ works for long, somebody outside is asked now and then whether it should stop.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace pymlp {

class Pulse {
 public:
  // `stop` is called on the thread that made the pulse, at most every 50 ms.
  explicit Pulse(std::function<bool()> stop)
      : stop_(std::move(stop)), owner_(std::this_thread::get_id()), last_(Clock::now()) {}

  // True once the answer was yes; may be called from any thread.
  bool stopped() {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    if (std::this_thread::get_id() != owner_) return false;
    const auto now = Clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return false;
    last_ = now;
    if (stop_()) stopped_.store(true, std::memory_order_relaxed);
    return stopped_.load(std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::function<bool()> stop_;
  std::thread::id owner_;
  Clock::time_point last_;
  std::atomic<bool> stopped_{false};
};

}  // namespace pymlp
