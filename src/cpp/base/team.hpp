// The thread team: one for the process, created at first use, idle workers asleep.
#pragma once

#include <type_traits>

#include "base/view.hpp"

namespace pymlp {

inline constexpr int kMaxThreads = 1024;

// The number of threads that a call uses when it does not say: the available processors at first.
void set_num_threads(int threads);
int num_threads();

namespace detail {

using TaskFunction = void (*)(void* context, index_t task);
void run_tasks(index_t tasks, int threads, TaskFunction function, void* context);

}  // namespace detail

// Calls body(task) once for each task in [0, tasks), on up to `threads` threads, the caller among
// them. Which thread runs a task is left open, so a task must depend on its number alone: then the
// result is the same on any number of threads. Every thread rounds as the caller does, and treats
// subnormal numbers alike. An exception ends the work and comes out here.
template <class Body>
void parallel_for(index_t tasks, int threads, Body&& body) {
  using Callable = std::remove_reference_t<Body>;
  detail::run_tasks(
      tasks, threads, [](void* context, index_t task) { (*static_cast<Callable*>(context))(task); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// Threads worth waking for this much arithmetic: handing work over costs about a microsecond.
inline int threads_for(double operations, int threads) {
  constexpr double kWorthSharing = 5e5;  // operations, about 5 microseconds of one core
  return operations < kWorthSharing ? 1 : threads;
}

}  // namespace pymlp
