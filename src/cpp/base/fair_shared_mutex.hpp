// FairSharedMutex: a shared mutex that starves neither side. A writer waits for the readers that
// are in; readers that come meanwhile wait for that one writer and get in before the next.
// Brandenburg & Anderson, "Spin-based reader-writer synchronization", Real-Time Systems 46, 2010,
// call this phase-fair. Locking takes one atomic operation where nobody is in the way.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/cpu.hpp"

namespace pymlp {

class FairSharedMutex {
 public:
  // For any number of threads up to 32,767 at the same time.
  bool try_lock_shared() {
    std::uint32_t state = state_.load(std::memory_order_relaxed);
    while ((state & kWriter) == 0) {
      if (state_.compare_exchange_weak(state, state + kReader, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }
  void lock_shared() {
    if (!try_lock_shared()) wait_for_phase();
  }
  void unlock_shared() {
    const std::uint32_t before = state_.fetch_sub(kReader, std::memory_order_release);
    if ((before & kWriter) != 0 && readers(before) == 1) state_.notify_all();
  }

  // One writer at a time: that is the caller's affair.
  void lock() {
    const std::uint32_t before = state_.fetch_or(kWriter, std::memory_order_acquire);
    if (readers(before) != 0) wait_until([](std::uint32_t now) { return readers(now) == 0; });
  }
  void unlock() {
    std::uint32_t state = state_.load(std::memory_order_relaxed);
    // The waiting readers are in, and a new phase begins.
    while (!state_.compare_exchange_weak(state,
                                         ((state ^ kPhase) & kPhase) | (waiting(state) * kReader),
                                         std::memory_order_release, std::memory_order_relaxed)) {
    }
    if (waiting(state) != 0) state_.notify_all();
  }

  // Nobody holds it: for the child of a fork, whose other threads are gone.
  void reset() { state_.store(0, std::memory_order_relaxed); }

 private:
  // writer (1 bit), phase (1 bit), waiting readers (15 bits), readers that are in (15 bits)
  static constexpr std::uint32_t kReader = 1;
  static constexpr std::uint32_t kWaiting = 1u << 15;
  static constexpr std::uint32_t kPhase = 1u << 30;
  static constexpr std::uint32_t kWriter = 1u << 31;
  static constexpr int kSpins = 1000;  // some microseconds, less than sleeping costs

  static std::uint32_t readers(std::uint32_t state) { return state & (kWaiting - 1); }
  static std::uint32_t waiting(std::uint32_t state) { return (state & (kPhase - 1)) / kWaiting; }

  // The next phase cannot end before this reader has been in, so its bit tells it apart.
  void wait_for_phase() {
    std::uint32_t state = state_.load(std::memory_order_relaxed);
    for (;;) {
      const bool enters = (state & kWriter) == 0;
      if (state_.compare_exchange_weak(state, state + (enters ? kReader : kWaiting),
                                       std::memory_order_acquire, std::memory_order_relaxed)) {
        if (enters) return;
        break;
      }
    }
    const std::uint32_t phase = state & kPhase;
    wait_until([phase](std::uint32_t now) { return (now & kPhase) != phase; });
  }

  template <class Condition>
  void wait_until(Condition&& holds) {
    for (int spins = 0;; ++spins) {
      const std::uint32_t now = state_.load(std::memory_order_acquire);
      if (holds(now)) return;
      if (spins < kSpins) {
        relax();
      } else {
        state_.wait(now, std::memory_order_acquire);
      }
    }
  }

  std::atomic<std::uint32_t> state_{0};
};

}  // namespace pymlp
