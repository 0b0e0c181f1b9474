#include "base/team.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <thread>
#include <utility>

#include "base/at_fork.hpp"
#include "base/check.hpp"
#include "base/cpu.hpp"
#include "base/float_mode.hpp"
#include "base/most_threads.hpp"

namespace pymlp {

namespace {

constexpr int kSpins = 4000;  // some tens of microseconds, longer than the gap between steps

int processors() {
  static const int count = usable_cpus();
  return count;
}

// Every thread has a range of the tasks, and helps the others when its own is done: so a thread
// that does not arrive costs nothing, and one that arrives every time finds its data in its cache.
// Handing a cache line over takes about 0.1 microseconds, so what a worker needs lies in two: the
// job's and its own.
class Team {
 public:
  void run(index_t tasks, int threads, detail::TaskFunction function, void* context) {
    // A second caller at the same time, or a task that calls again, works alone and waits for
    // nothing.
    if (busy_.test_and_set(std::memory_order_acquire)) {
      for (index_t task = 0; task < tasks; ++task) function(context, task, 0);
      return;
    }
    // No task waits for one that has not begun: who is not called is not missed.
    threads = std::min(threads, most_threads());
    grow(threads - 1);
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    function_ = function;
    context_ = context;
    mode_ = float_mode();
    for (index_t t = 0; t < threads; ++t) {
      slot(t).next.store(tasks * t / threads, std::memory_order_relaxed);
      slot(t).end = tasks * (t + 1) / threads;
    }
    const std::uint32_t job = open(threads);
    work(0, threads);
    close(job);
    const std::exception_ptr error = std::exchange(error_, nullptr);
    failed_.clear(std::memory_order_relaxed);
    owner_.store({}, std::memory_order_relaxed);
    busy_.clear(std::memory_order_release);
    if (error) std::rethrow_exception(error);
  }

  // A signal handler may fork in the middle of a task: the workers, who are not in the child, first
  // do all other tasks. Nobody joins any more.
  void finish_before_fork() {
    if (owner_.load(std::memory_order_relaxed) != std::this_thread::get_id()) return;
    open_.store(0, std::memory_order_seq_cst);
    for (int t = 1; t <= workers_; ++t) wait_for(t);
  }

  // In the child: one that came late may have been about to look whether the job is open.
  void forget_workers() {
    for (int t = 1; t <= workers_; ++t) slot(t).inside.store(0, std::memory_order_relaxed);
  }

 private:
  // A job is one word: its number, and how many threads may work on it.
  static constexpr int kThreadBits = 11;
  static_assert(kMaxThreads < 1 << kThreadBits);
  static int threads_of(std::uint32_t job) {
    return static_cast<int>(job & ((1u << kThreadBits) - 1));
  }

  struct alignas(64) Slot {
    std::atomic<std::uint32_t> bell{0};  // the newest job that its worker is called to
    std::atomic<bool> asleep{false};
    std::atomic<std::uint32_t> inside{0};  // the job that its worker is at, or about to join
    std::atomic<index_t> next{0};
    index_t end = 0;
  };
  Slot& slot(index_t t) { return slots_[static_cast<std::size_t>(t)]; }

  // Where the system grants no more threads, the existing ones do the work.
  void grow(int workers) {
    try {
      for (; workers_ < workers; ++workers_) {
        // Detached: workers sleep for as long as the process lives and hold nothing to clean up.
        const int t = workers_ + 1;
        std::thread([this, t, seen = slot(t).bell.load()] { serve(slot(t), t, seen); }).detach();
      }
    } catch (const std::exception&) {
    }
  }

  std::uint32_t open(int threads) {
    const std::uint32_t job = ++jobs_ << kThreadBits | static_cast<std::uint32_t>(threads);
    open_.store(job, std::memory_order_relaxed);
    for (int t = 1; t < threads; ++t) {
      slot(t).bell.store(job, std::memory_order_seq_cst);
      if (slot(t).asleep.load(std::memory_order_seq_cst)) slot(t).bell.notify_one();
    }
    return job;
  }

  // A worker says that it is inside before it looks whether the job is open; the caller closes
  // before it looks who is inside. So one of them sees the other, and the caller never waits for a
  // worker that has not arrived.
  void close(std::uint32_t job) {
    open_.store(0, std::memory_order_seq_cst);
    for (index_t t = 1; t < threads_of(job); ++t) wait_for(t);
  }
  void wait_for(index_t worker) {
    for (int spins = 0; slot(worker).inside.load(std::memory_order_seq_cst) != 0; ++spins) {
      // On an oversubscribed machine the worker may need this very processor.
      if (spins < kSpins) {
        relax();
      } else {
        std::this_thread::yield();
      }
    }
  }

  // Its own range first, then what is left of the others'. The first exception ends the job; the
  // caller rethrows it when no worker is inside.
  void work(int self, int threads) noexcept {
    try {
      for (int other = 0; other < threads; ++other) {
        Slot& range = slot((self + other) % threads);
        for (;;) {
          const index_t task = range.next.fetch_add(1, std::memory_order_relaxed);
          if (task >= range.end || failed_.test(std::memory_order_relaxed)) break;
          function_(context_, task, self);
        }
      }
    } catch (...) {
      if (!failed_.test_and_set(std::memory_order_relaxed)) error_ = std::current_exception();
    }
  }

  void serve(Slot& own, int self, std::uint32_t seen) {
    for (;;) {
      seen = wait_for_job(own, seen);
      own.inside.store(seen, std::memory_order_seq_cst);
      if (open_.load(std::memory_order_seq_cst) == seen) {
        // A worker starts with the mode of its first caller; a result must not depend on that.
        set_float_mode(mode_);
        work(self, threads_of(seen));
      }
      own.inside.store(0, std::memory_order_release);
    }
  }

  // Where the threads are more than the processors, who spins takes one from who works.
  static std::uint32_t wait_for_job(Slot& own, std::uint32_t seen) {
    const int most = threads_of(seen) <= processors() ? kSpins : 0;
    for (int spins = 0; spins < most; ++spins) {
      const std::uint32_t job = own.bell.load(std::memory_order_acquire);
      if (job != seen) return job;
      relax();
    }
    own.asleep.store(true, std::memory_order_seq_cst);
    own.bell.wait(seen, std::memory_order_seq_cst);
    own.asleep.store(false, std::memory_order_relaxed);
    return own.bell.load(std::memory_order_acquire);
  }

  std::atomic_flag busy_;
  std::atomic<std::thread::id> owner_{};  // of the job
  std::atomic_flag failed_;
  std::exception_ptr error_;
  int workers_ = 0;
  std::uint32_t jobs_ = 0;
  alignas(64) std::atomic<std::uint32_t> open_{0};  // the newest job while it may be joined
  detail::TaskFunction function_ = nullptr;
  void* context_ = nullptr;
  FloatMode mode_ = 0;  // the caller's
  std::array<Slot, kMaxThreads> slots_;
};

std::atomic<int> configured_threads{0};

// Never destroyed: workers may outlive static destruction. A child process has none of its parent's
// threads: it abandons the old team and starts another.
Team* team = new Team;
[[maybe_unused]] const AtFork& at_fork =
    *new AtFork({.before_first =
                     [] {
                       processors();  // or a child might wait for the thread that was counting
                       team->finish_before_fork();
                     },
                 .in_child =
                     [] {
                       team->forget_workers();
                       team = new Team;
                     }});

// PYMLP_NUM_THREADS, else the number of available processors.
int initial_threads() {
  const char* text = std::getenv("PYMLP_NUM_THREADS");
  if (text == nullptr || *text == '\0') return std::min(available_cpus(), kMaxThreads);
  char* end = nullptr;
  const long threads = std::strtol(text, &end, 10);
  check(*end == '\0' && threads >= 1 && threads <= kMaxThreads,
        "PYMLP_NUM_THREADS must be from 1 to ", kMaxThreads, ", not '", text, "'");
  return static_cast<int>(threads);
}

}  // namespace

int most_threads() { return std::min(4 * processors(), kMaxThreads); }

void set_num_threads(int threads) {
  check(threads >= 1 && threads <= kMaxThreads, "threads must be from 1 to ", kMaxThreads, ", not ",
        threads);
  configured_threads.store(threads);
}

int num_threads() {
  const int configured = configured_threads.load(std::memory_order_relaxed);
  if (configured > 0) return configured;
  static const int initial = initial_threads();
  return initial;
}

void detail::run_tasks(index_t tasks, int threads, TaskFunction function, void* context) {
  threads = static_cast<int>(std::min<index_t>({threads, kMaxThreads, tasks}));
  if (threads > 1) {
    team->run(tasks, threads, function, context);
    return;
  }
  for (index_t task = 0; task < tasks; ++task) function(context, task, 0);
}

}  // namespace pymlp
