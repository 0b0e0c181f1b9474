// The thread team: every task once, from any caller, and nothing left spinning.
#include "base/team.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <ctime>
#include <functional>
#include <limits>
#include <list>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/at_fork.hpp"
#include "base/float_mode.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace pymlp;
using namespace std::chrono_literals;

namespace {

// How often each task ran. Plain ints: a task that ran on two threads is a race for TSan to see.
std::vector<int> runs_of_tasks(index_t tasks, int threads) {
  std::vector<int> runs(static_cast<std::size_t>(tasks));
  parallel_for(tasks, threads,
               [&](index_t task, index_t) { ++runs[static_cast<std::size_t>(task)]; });
  return runs;
}

bool all_once(const std::vector<int>& runs) {
  return std::ranges::all_of(runs, [](int n) { return n == 1; });
}

double processor_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

}  // namespace

TEST_CASE("every task runs once, whatever the number of tasks and threads") {
  for (const index_t tasks : {0, 1, 2, 3, 7, 64, 1000}) {
    for (const int threads : {1, 2, 3, 8, 20}) CHECK(all_once(runs_of_tasks(tasks, threads)));
  }
}

TEST_CASE("what tasks wrote is seen by the caller, and by the tasks of the next call") {
  std::vector<index_t> values(64);
  for (int round = 0; round < 2000; ++round) {
    parallel_for(64, 3,
                 [&](index_t task, index_t) { ++values[static_cast<std::size_t>(63 - task)]; });
    parallel_for(64, 2, [&](index_t task, index_t) { ++values[static_cast<std::size_t>(task)]; });
  }
  CHECK(std::accumulate(values.begin(), values.end(), index_t{0}) == 2 * 2000 * 64);
}

TEST_CASE("no more threads work than were asked for") {
  runs_of_tasks(100, 8);  // the team has eight from here on
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  parallel_for(200, 3, [&](index_t, index_t) {
    const int now = ++inside;
    int seen = most.load();
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::sleep_for(100us);
    --inside;
  });
  CHECK(most.load() <= 3);
}

TEST_CASE("a worker's number is below the number of threads, and its own meanwhile") {
  for (const int threads : {1, 2, 3, 8}) {
    std::vector<std::atomic<int>> inside(static_cast<std::size_t>(threads));
    std::atomic<int> failures{0};
    parallel_for(400, threads, [&](index_t, index_t worker) {
      if (worker < 0 || worker >= threads) {
        ++failures;
        return;
      }
      std::atomic<int>& mine = inside[static_cast<std::size_t>(worker)];
      if (++mine != 1) ++failures;
      std::this_thread::sleep_for(20us);
      --mine;
    });
    CHECK(failures.load() == 0);
  }
}

TEST_CASE("a worker's number stays with its thread, and 0 is the caller's") {
  const std::thread::id caller = std::this_thread::get_id();
  std::vector<std::set<std::thread::id>> threads(4);
  parallel_for(200, 4, [&](index_t, index_t worker) {
    threads[static_cast<std::size_t>(worker)].insert(std::this_thread::get_id());
    std::this_thread::sleep_for(20us);
  });
  for (const auto& ids : threads) CHECK(ids.size() <= 1);
  CHECK(threads[0] == std::set{caller});
}

TEST_CASE("a task that calls again is worker 0 of its own call") {
  std::atomic<int> others{0};
  parallel_for(32, 4, [&](index_t, index_t) {
    const std::thread::id self = std::this_thread::get_id();
    parallel_for(8, 3, [&](index_t, index_t worker) {
      if (worker != 0 || std::this_thread::get_id() != self) ++others;
    });
  });
  CHECK(others.load() == 0);
}

TEST_CASE("sleeping workers wake up") {
  for (int round = 0; round < 200; ++round) {
    std::this_thread::sleep_for(std::chrono::microseconds(10 * round % 700));
    REQUIRE(all_once(runs_of_tasks(16, 4)));
  }
}

TEST_CASE("callers at the same time do not disturb each other") {
  std::vector<std::thread> callers;
  std::atomic<int> failures{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&failures, caller] {
      for (int round = 0; round < 500; ++round) {
        if (!all_once(runs_of_tasks(1 + (round * 7 + caller) % 50, 2 + caller % 3))) ++failures;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(failures.load() == 0);
}

TEST_CASE("a task may call again") {
  std::vector<std::vector<int>> runs(8);
  parallel_for(8, 4, [&](index_t task, index_t) {
    runs[static_cast<std::size_t>(task)] = runs_of_tasks(10 + task, 3);
  });
  for (const auto& inner : runs) CHECK(all_once(inner));
}

TEST_CASE("an exception of a task comes out where the work was called for") {
  for (int round = 0; round < 100; ++round) {
    std::vector<int> memory(64);
    const auto work = [&](index_t task, index_t) {
      memory[static_cast<std::size_t>(task)] = 1;
      if (task % 8 == 3) throw std::runtime_error("no");
    };
    REQUIRE_THROWS_AS(parallel_for(64, 4, work), std::runtime_error);
    REQUIRE(all_once(runs_of_tasks(64, 4)));
  }
}

namespace {

// A quotient that has to be rounded, and a product that is subnormal: what a thread makes of them.
struct Arithmetic {
  double third;
  double subnormal;

  bool operator==(const Arithmetic&) const = default;
};

Arithmetic compute() {
  const volatile double one = 1.0;
  const volatile double three = 3.0;
  const volatile double smallest = std::numeric_limits<double>::min();
  const volatile double half = 0.5;
  return {one / three, smallest * half};
}

// Of tasks that last long enough for every thread to take some.
std::vector<Arithmetic> compute_in_tasks(int threads) {
  std::vector<Arithmetic> results(64);
  parallel_for(64, threads, [&](index_t task, index_t) {
    std::this_thread::sleep_for(100us);
    results[static_cast<std::size_t>(task)] = compute();
  });
  return results;
}

}  // namespace

TEST_CASE("tasks round as their caller does, whose mode stays") {
  runs_of_tasks(100, 4);  // workers begin with the mode of the thread that first calls for them
  const FloatMode ordinary = float_mode();
  const auto check_mode = [](FloatMode mode) {
    set_float_mode(mode);
    const Arithmetic expected = compute();
    const std::vector<Arithmetic> results = compute_in_tasks(4);
    const bool stayed = compute() == expected;
    return stayed && std::ranges::count(results, expected) == std::ssize(results);
  };
  CHECK(check_mode(ordinary));
  std::fesetround(FE_UPWARD);
  const FloatMode upward = float_mode();
  CHECK(check_mode(upward));
  CHECK(std::fegetround() == FE_UPWARD);
  CHECK(check_mode(ordinary | kFlushSubnormals));
  CHECK(check_mode(upward | kFlushSubnormals));
  CHECK(check_mode(ordinary));
  CHECK(compute().subnormal > 0.0);
}

TEST_CASE("idle workers use no processor") {
  runs_of_tasks(100, 8);
  std::this_thread::sleep_for(50ms);  // their spinning is over by then
  const double before = processor_seconds();
  std::this_thread::sleep_for(300ms);
  CHECK(processor_seconds() - before < 0.03);
}

// The thread sanitizer does not follow a fork.
#if (defined(__unix__) || defined(__APPLE__)) && !defined(PYMLP_SANITIZED_THREAD)
namespace {

// Runs `work` in a child, which a hang would keep from ever coming back; true if it said so.
bool true_in_child(const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(work() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a forked child has a team of its own, and so has its child") {
  runs_of_tasks(100, 4);
  const auto works = [] { return all_once(runs_of_tasks(100, 4)); };
  CHECK(true_in_child([&] { return works() && true_in_child(works); }));
  CHECK(works());
}

TEST_CASE("forking while another thread works leaves the child able to work") {
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) runs_of_tasks(50, 4);
  });
  int failures = 0;
  for (int round = 0; round < 20; ++round) {
    if (!true_in_child([] { return all_once(runs_of_tasks(100, 4)); })) ++failures;
  }
  stop = true;
  busy.join();
  CHECK(failures == 0);
}

TEST_CASE("a fork in the middle of a task takes no lock that another task waits for") {
  struct Lock {
    std::mutex mutex;
    AtFork at_fork{{.before = [this] { mutex.lock(); },
                    .in_parent = [this] { mutex.unlock(); },
                    .in_child = [this] { mutex.unlock(); }}};
  };
  CHECK(true_in_child([] {
    std::list<Lock> locks(20);  // hooks are called in no order
    std::atomic<bool> joined{false};
    bool works = false;
    parallel_for(2, 2, [&](index_t task, index_t) {
      if (task == 0) {
        while (!joined) std::this_thread::yield();
        works = true_in_child([] { return all_once(runs_of_tasks(100, 4)); });
      } else {
        joined = true;
        std::this_thread::sleep_for(20ms);
        for (Lock& lock : locks) const std::lock_guard held(lock.mutex);
      }
    });
    return works;
  }));
}

#if defined(__linux__) && !defined(PYMLP_SANITIZED)
TEST_CASE("where the system grants no thread the caller works alone") {
  CHECK(true_in_child([] {
    const rlimit no_more_memory{1, 1};  // none for the stacks of threads
    return setrlimit(RLIMIT_AS, &no_more_memory) == 0 && all_once(runs_of_tasks(100, 4)) &&
           all_once(runs_of_tasks(100, 4));
  }));
}
#endif
#endif

TEST_CASE("the number of threads is at least one and can be set") {
  const int before = num_threads();
  CHECK(before >= 1);
  set_num_threads(3);
  CHECK(num_threads() == 3);
  CHECK_THROWS_AS(set_num_threads(0), std::invalid_argument);
  CHECK_THROWS_AS(set_num_threads(1025), std::invalid_argument);
  CHECK(num_threads() == 3);
  set_num_threads(before);
}
