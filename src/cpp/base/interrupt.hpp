// Interrupt: how long work in C++ finds out whether it should stop.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace pymlp {

class Interrupt {
 public:
  // `asked` is called on the thread that made this object, at most once in every `pause`.
  explicit Interrupt(std::function<bool()> asked,
                     std::chrono::milliseconds pause = std::chrono::milliseconds(30))
      : asked_(std::move(asked)),
        pause_(pause),
        owner_(std::this_thread::get_id()),
        last_(Clock::now()) {}

  // True once the answer was yes. Both may be called from any thread; only requested() asks anew,
  // which reads the clock.
  bool came() const { return requested_.load(std::memory_order_relaxed); }
  bool requested() {
    if (came()) return true;
    if (std::this_thread::get_id() != owner_) return false;
    const auto now = Clock::now();
    if (now - last_ < pause_) return false;
    last_ = now;
    if (asked_()) requested_.store(true, std::memory_order_relaxed);
    return came();
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::function<bool()> asked_;
  std::chrono::milliseconds pause_;
  std::thread::id owner_;
  Clock::time_point last_;
  std::atomic<bool> requested_{false};
};

inline bool came(const Interrupt* interrupt) { return interrupt != nullptr && interrupt->came(); }
inline bool requested(Interrupt* interrupt) {
  return interrupt != nullptr && interrupt->requested();
}

}  // namespace pymlp
