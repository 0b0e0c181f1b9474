// Short steps find out by the clock whether more threads make them shorter.
#include <doctest/doctest.h>

#include "model/thread_trial.hpp"

using namespace pymlp;

namespace {

constexpr index_t kRows = 32;

// Runs steps that take these seconds on all threads and on one; returns how many were shared.
int shared_steps(ThreadTrial& trial, int steps, double on_all, double on_one) {
  int shared = 0;
  for (int i = 0; i < steps; ++i) {
    const bool shares = trial.threads() > 1;
    shared += shares ? 1 : 0;
    trial.record(shares ? on_all : on_one, kRows);
  }
  return shared;
}

constexpr int kMany = 20000;
constexpr double kShort = 20e-6;

}  // namespace

TEST_CASE("steps that sharing makes shorter stay shared, but for a trial now and then") {
  ThreadTrial trial(2, kRows);
  const int shared = shared_steps(trial, kMany, kShort, 1.5 * kShort);
  CHECK(shared > 0.99 * kMany);
  CHECK(shared < kMany);
}

TEST_CASE("steps that sharing makes longer soon run on one thread") {
  ThreadTrial trial(4, kRows);
  CHECK(shared_steps(trial, kMany, 2 * kShort, kShort) < 0.02 * kMany);
}

TEST_CASE("a machine that changes is followed") {
  ThreadTrial trial(2, kRows);
  shared_steps(trial, kMany, 2 * kShort, kShort);
  shared_steps(trial, kMany, kShort, 2 * kShort);
  CHECK(shared_steps(trial, kMany, kShort, 2 * kShort) > 0.9 * kMany);
}

TEST_CASE("long steps are shared without a trial") {
  ThreadTrial trial(2, kRows);
  CHECK(shared_steps(trial, kMany, 1e-3, 1e-6) == kMany);
}

TEST_CASE("one thread is one thread") {
  ThreadTrial trial(1, kRows);
  CHECK(shared_steps(trial, kMany, kShort, kShort) == 0);
}

TEST_CASE("steps of fewer rows are not compared with whole ones") {
  for (const int every : {2, 5, 8}) {
    ThreadTrial trial(2, kRows);
    int shared = 0;
    for (int i = 0; i < kMany; ++i) {
      const bool shares = trial.threads() > 1;
      shared += shares ? 1 : 0;
      const bool last = i % every == every - 1;
      const double seconds = shares ? kShort : 1.5 * kShort;
      trial.record(last ? seconds / 4 : seconds, last ? kRows / 4 : kRows);
      if (last) CHECK((trial.threads() > 1) == shares);  // it decides nothing
    }
    CHECK(shared > 0.99 * kMany);
  }
}

TEST_CASE("a short step on one thread does not win against whole steps on all") {
  ThreadTrial trial(2, kRows);
  for (int i = 0; i < kMany; ++i) {
    const bool shares = trial.threads() > 1;
    trial.record(shares ? kShort : 2 * kShort, kRows);
    if (!shares) trial.record(kShort / 8, kRows / 16);
  }
  CHECK(shared_steps(trial, kMany, kShort, 2 * kShort) > 0.99 * kMany);
}
