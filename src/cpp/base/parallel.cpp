#include "base/parallel.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <utility>

#include "base/check.hpp"
#include "base/cpu.hpp"
#include "base/float_mode.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace pymlp {

namespace {

constexpr int kSpins =
    4000;  // some tens of microseconds, a little longer than the gap between steps

// A job is open while workers may join it. `state_` holds its number, whether it is open, and how
// many workers are inside, in one word, so that joining and closing cannot miss each other: the
// caller never waits for a worker that has not come, only for those that are inside.
class Team {
 public:
  void run(index_t tasks, int threads, detail::TaskFunction function, void* context) {
    // A second caller at the same time, or a task that calls again, works alone: nobody waits.
    if (busy_.test_and_set(std::memory_order_acquire)) {
      for (index_t task = 0; task < tasks; ++task) function(context, task);
      return;
    }
    grow(threads - 1);
    function_ = function;
    context_ = context;
    tasks_ = tasks;
    mode_ = float_mode();
    seats_.store(threads - 1, std::memory_order_relaxed);
    next_.store(0, std::memory_order_relaxed);
    open();
    work();
    close();
    const std::exception_ptr error = std::exchange(error_, nullptr);
    failed_.clear(std::memory_order_relaxed);
    busy_.clear(std::memory_order_release);
    if (error) std::rethrow_exception(error);
  }

 private:
  static constexpr std::uint64_t kOpen = std::uint64_t{1} << 31;
  static constexpr std::uint64_t kInside = kOpen - 1;
  static std::uint32_t job_of(std::uint64_t state) {
    return static_cast<std::uint32_t>(state >> 32);
  }

  // Where the system grants no more threads, those that are there do the work.
  void grow(int workers) {
    try {
      for (; workers_ < workers; ++workers_) {
        // Detached: workers sleep for as long as the process lives and hold nothing to clean up.
        std::thread([this, seen = job_of(state_.load())] { serve(seen); }).detach();
      }
    } catch (const std::exception&) {
    }
  }

  void open() {
    const std::uint32_t job = job_of(state_.load(std::memory_order_relaxed)) + 1;
    state_.store(std::uint64_t{job} << 32 | kOpen, std::memory_order_release);
    bell_.store(job, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) bell_.notify_all();
  }

  void close() {
    std::uint64_t state = state_.fetch_and(~kOpen, std::memory_order_acq_rel);
    for (int spins = 0; (state & kInside) != 0; ++spins) {
      // On an oversubscribed machine the worker may need this very processor.
      if (spins < kSpins) {
        relax();
      } else {
        std::this_thread::yield();
      }
      state = state_.load(std::memory_order_acquire);
    }
  }

  // The first exception ends the job; the caller throws it on once nobody is inside.
  void work() noexcept {
    try {
      for (index_t task = next_.fetch_add(1, std::memory_order_relaxed); task < tasks_;
           task = next_.fetch_add(1, std::memory_order_relaxed)) {
        function_(context_, task);
      }
    } catch (...) {
      if (!failed_.test_and_set(std::memory_order_relaxed)) error_ = std::current_exception();
      next_.store(tasks_, std::memory_order_relaxed);
    }
  }

  void serve(std::uint32_t seen) {
    for (;;) {
      seen = wait_for_job(seen);
      if (!join(seen)) continue;
      if (seats_.fetch_sub(1, std::memory_order_relaxed) > 0) {
        // A worker began with the mode of whoever called first; a result must not depend on that.
        set_float_mode(mode_);
        work();
      }
      state_.fetch_sub(1, std::memory_order_release);
    }
  }

  bool join(std::uint32_t job) {
    std::uint64_t state = state_.load(std::memory_order_relaxed);
    while (job_of(state) == job && (state & kOpen) != 0) {
      if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire)) return true;
    }
    return false;
  }

  std::uint32_t wait_for_job(std::uint32_t seen) {
    for (int spins = 0; spins < kSpins; ++spins) {
      const std::uint32_t job = bell_.load(std::memory_order_relaxed);
      if (job != seen) return job;
      relax();
    }
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    bell_.wait(seen, std::memory_order_seq_cst);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
    return bell_.load(std::memory_order_relaxed);
  }

  std::atomic_flag busy_;
  std::atomic_flag failed_;
  std::exception_ptr error_;
  int workers_ = 0;
  detail::TaskFunction function_ = nullptr;
  void* context_ = nullptr;
  index_t tasks_ = 0;
  FloatMode mode_ = 0;  // the caller's
  alignas(64) std::atomic<std::uint64_t> state_{0};
  alignas(64) std::atomic<index_t> next_{0};
  std::atomic<int> seats_{0};
  alignas(64) std::atomic<std::uint32_t> bell_{0};
  std::atomic<int> sleepers_{0};
};

std::atomic<int> configured_threads{0};

Team*& team() {
  static Team* instance = [] {
#if defined(__unix__) || defined(__APPLE__)
    // A child has none of its parent's threads, and its copy of the locks may be held for ever: it
    // leaves the old team where it is and starts another.
    pthread_atfork(nullptr, nullptr, [] { team() = new Team; });
#endif
    return new Team;  // never destroyed: workers may outlive static destruction
  }();
  return instance;
}

}  // namespace

void set_num_threads(int threads) {
  check(threads >= 1 && threads <= kMaxThreads, "threads must be from 1 to ", kMaxThreads, ", not ",
        threads);
  configured_threads.store(threads);
}

int num_threads() {
  const int configured = configured_threads.load(std::memory_order_relaxed);
  if (configured > 0) return configured;
  static const int available = available_cpus();
  return available;
}

void detail::run_tasks(index_t tasks, int threads, TaskFunction function, void* context) {
  if (threads > tasks) threads = static_cast<int>(tasks);
  if (threads > 1) {
    team()->run(tasks, threads, function, context);
    return;
  }
  for (index_t task = 0; task < tasks; ++task) function(context, task);
}

}  // namespace pymlp
