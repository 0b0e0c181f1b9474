// Who reads and writes parameters: the lock, long reads, trainings, forks.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>
#include <vector>

#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "model/access.hpp"
#include "model/predict.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// Calls work() in so many threads until it goes out of scope.
class Threads {
 public:
  template <class Work>
  Threads(int count, Work work) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, work] {
        while (!enough_.load()) work();
      });
    }
  }
  ~Threads() {
    enough_.store(true);
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> enough_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("readers see what a writer did as a whole, and neither side starves") {
  FairSharedMutex mutex;
  std::vector<int> numbers(64, 0);
  std::atomic<int> mixed{0};
  std::atomic<int> reads{0};
  {
    const Threads readers(4, [&] {
      const std::shared_lock lock(mutex);
      for (const int number : numbers) mixed += number != numbers.front();
      ++reads;
    });
    for (int round = 0; round < 2000; ++round) {
      const std::unique_lock lock(mutex);
      for (int& number : numbers) ++number;
    }
    const int before = reads.load();
    while (reads.load() < before + 100) std::this_thread::yield();
  }
  CHECK(mixed.load() == 0);
  CHECK(numbers.front() == 2000);
}

TEST_CASE("a reader that waits gets in before the writer's next turn") {
  FairSharedMutex mutex;
  std::atomic<int> turn{0};
  std::atomic<bool> comes{false};
  int at_first = 0, waited = 0;
  for (int round = 0; round < 200; ++round) {
    mutex.lock();
    turn = 0;
    std::thread reader([&] {
      comes = true;
      const std::shared_lock lock(mutex);
      at_first += turn.load() == 1;
    });
    while (!comes.exchange(false)) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    turn = 1;
    mutex.unlock();
    mutex.lock();  // waits for a reader that waited
    turn = 2;
    mutex.unlock();
    reader.join();
    ++waited;
  }
  // A reader that had not come to wait yet may see the second turn.
  CHECK(at_first > waited / 2);
}

TEST_CASE("the lock is tried without waiting") {
  FairSharedMutex mutex;
  CHECK(mutex.try_lock_shared());
  CHECK(mutex.try_lock_shared());
  mutex.unlock_shared();
  mutex.unlock_shared();
  mutex.lock();
  CHECK_FALSE(mutex.try_lock_shared());
  mutex.unlock();
  CHECK(mutex.try_lock_shared());
  mutex.unlock_shared();
}

TEST_CASE("one thread trains, and long reads meanwhile are not in place") {
  Access access;
  CHECK(LongRead(access).in_place());
  CHECK(access.begin_training(nullptr));
  CHECK(access.trained_here());
  CHECK_THROWS_AS(access.begin_training(nullptr), std::runtime_error);
  CHECK(LongRead(access).in_place());  // the thread that trains does not write meanwhile
  std::thread([&] {
    CHECK_FALSE(LongRead(access).in_place());
    CHECK_FALSE(access.trained_here());
  }).join();
  access.end_training();
  CHECK_FALSE(access.in_training());
}

TEST_CASE("a training waits for the long reads before it, unless it is interrupted") {
  Access access;
  std::atomic<bool> enough{false};
  std::atomic<bool> reading{false};
  std::thread reader([&] {
    const LongRead read(access);
    reading = true;
    while (!enough.load()) std::this_thread::yield();
  });
  while (!reading.load()) std::this_thread::yield();
  Interrupt now([] { return true; }, std::chrono::milliseconds(0));
  CHECK_FALSE(access.begin_training(&now));
  CHECK_FALSE(access.in_training());
  std::thread late([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    enough = true;
  });
  CHECK(access.begin_training(nullptr));
  CHECK(enough.load());
  access.end_training();
  late.join();
  reader.join();
}

TEST_CASE("predictions during a training are of one whole step") {
  Problem<float> problem(600, 20, 10, 2);
  Session<float> session(classifier({20, 96, 96, 10}, "relu"), kAdam, kCrossEntropy,
                         problem.with_labels(), wide_batches(2));
  Network<float>& network = session.network();
  std::vector<float> x(16 * 20, 0.5f);
  std::atomic<int> mixed{0};
  const auto predicted = [&](const Reading<float>& reading) {
    std::vector<float> y(16 * 10);
    predict(reading, {x.data(), 16, 20, 20}, {y.data(), 16, 10, 10}, 1);
    for (std::size_t i = 10; i < y.size(); ++i) mixed += y[i] != y[i % 10];
  };
  const TrainingScope training(network.access(), nullptr);
  {
    const Threads in_place(1, [&] {
      const std::shared_lock lock(network.access().mutex());
      predicted({network, network.parameters()});
    });
    const Threads of_a_copy(2, [&] {
      const index_t n = network.program().n_parameters();
      Buffer<float> copy(n);
      {
        const std::shared_lock lock(network.access().mutex());
        std::copy_n(network.parameters(), n, copy.data());
      }
      predicted({network, copy.data()});
    });
    CHECK(session.run() == Status::epochs);
  }
  CHECK(mixed.load() == 0);
}

#if defined(__unix__) && !defined(PYMLP_SANITIZED_THREAD)

TEST_CASE("the child of a fork has whole parameters, and locks that nobody holds") {
  Problem<float> problem(600, 20, 10, 2);
  FitOptions options = wide_batches(2);
  options.epochs = 1'000'000;
  Session<float> session(classifier({20, 96, 96, 10}, "relu"), kAdam, kCrossEntropy,
                         problem.with_labels(), options);
  Network<float>& network = session.network();
  std::atomic<bool> enough{false};
  std::thread trains([&] {
    const TrainingScope training(network.access(), nullptr);
    while (!enough.load()) session.run(1);
  });
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      alarm(20);
      const bool free = !network.access().in_training();
      network.access().mutex().lock();
      network.access().mutex().unlock();
      const LongRead read(network.access());
      _exit(free && read.in_place() ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  enough = true;
  trains.join();
}

#endif
