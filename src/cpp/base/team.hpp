// The thread team: one for the process, created at first use, idle workers asleep.
#pragma once

#include <type_traits>

#include "base/view.hpp"

namespace pymlp {

inline constexpr int kMaxThreads = 1024;

// The default number of threads of a call; at first that of the available processors.
void set_num_threads(int threads);
int num_threads();

namespace detail {

using TaskFunction = void (*)(void* context, index_t task, index_t worker);
void run_tasks(index_t tasks, int threads, TaskFunction function, void* context);

}  // namespace detail

// Calls body(task, worker) once for each task in [0, tasks), on up to `threads` threads, the caller
// among them. `worker`, below `threads`, is the number of the thread; no two threads have the same
// number at the same time. Any thread may run any task, so a result must depend on the task alone:
// then it is the same on any number of threads. Every thread rounds as the caller does,
// and treats subnormal numbers alike. An exception ends the work and is thrown here.
template <class Body>
void parallel_for(index_t tasks, int threads, Body&& body) {
  using Callable = std::remove_reference_t<Body>;
  detail::run_tasks(
      tasks, threads,
      [](void* context, index_t task, index_t worker) {
        (*static_cast<Callable*>(context))(task, worker);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace pymlp
