// The same bits on any number of threads, whatever a step is asked for and however callers round.
#include <doctest/doctest.h>

#include <atomic>
#include <cfenv>
#include <thread>
#include <utility>
#include <vector>

#include "base/float_mode.hpp"
#include "model/predict.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

TEST_CASE_TEMPLATE("parameters are the same bits on any number of threads", T, float, double) {
  Problem<T> problem(1000, 20, 10, 2);
  const Program program = classifier({20, 96, 96, 10}, "relu");
  const auto trained = [&](int threads) {
    Session<T> session(program, kAdam, kCrossEntropy, problem.with_labels(), wide_batches(threads));
    session.run();
    return session.parameters();
  };
  const std::vector<T> alone = trained(1);
  for (const int threads : {2, 3, 8}) CHECK(same_bits(trained(threads), alone));
}

TEST_CASE_TEMPLATE("so they are with dropout, and with every limit on gradients and weights", T,
                   float, double) {
  Problem<T> problem(1000, 20, 10, 2);
  const auto trained = [&](double dropout, const Regularization& limits, int threads) {
    FitOptions options = wide_batches(threads);
    options.regularization = limits;
    Session<T> session(classifier({20, 96, 96, 10}, "relu", "softmax", dropout), kAdam,
                       kCrossEntropy, problem.with_labels(), options);
    CHECK(session.run() == Status::epochs);
    return session.parameters();
  };
  const std::vector<T> plain = trained(0.0, {}, 1);
  const std::pair<double, Regularization> kinds[] = {
      {0.4, {}}, {0.0, {.clip_norm = 0.05}}, {0.4, all_limits()}};
  for (const auto& [dropout, limits] : kinds) {
    const std::vector<T> alone = trained(dropout, limits, 1);
    CHECK_FALSE(same_bits(alone, plain));
    for (const int threads : {2, 3, 8}) CHECK(same_bits(trained(dropout, limits, threads), alone));
  }
}

TEST_CASE_TEMPLATE("so they are with every kind of operation", T, float, double) {
  Problem<T> problem(1025, 20, 10, 2);
  for (const Norm norm : {Norm::layer, Norm::rms, Norm::batch}) {
    const auto trained = [&](int threads) {
      Session<T> session(of_every_operation({20, 20, 96, 96, 10}, norm), kAdam, kCrossEntropy,
                         problem.with_labels(), wide_batches(threads));
      CHECK(session.run() == Status::epochs);
      return session.parameters();
    };
    const std::vector<T> alone = trained(1);
    for (const int threads : {2, 3, 8}) CHECK(same_bits(trained(threads), alone));
  }
}

TEST_CASE_TEMPLATE("so they are with embedded inputs", T, float, double) {
  Problem<T> problem(1025, 20, 10, 2);
  const auto trained = [&](int threads) {
    Session<T> session(of_every_operation({20, 33, 96, 10}, Norm::layer, kEmbedding), kAdam,
                       kCrossEntropy, problem.with_labels(), wide_batches(threads));
    CHECK(session.run() == Status::epochs);
    return session.parameters();
  };
  const std::vector<T> alone = trained(1);
  for (const int threads : {2, 3, 8}) CHECK(same_bits(trained(threads), alone));
}

TEST_CASE_TEMPLATE("so they are when the caller rounds in a way of its own", T, float, double) {
  Problem<T> problem(1000, 20, 10, 2);
  const auto trained = [&](int threads) {
    Session<T> session(classifier({20, 96, 96, 10}), kAdam, kCrossEntropy, problem.with_labels(),
                       wide_batches(threads));
    session.run();
    return session.parameters();
  };
  const std::vector<T> nearest = trained(4);  // now the team exists, with the ordinary mode
  const auto trained_upward = [&](int threads) {
    const FloatMode before = float_mode();
    std::fesetround(FE_UPWARD);
    std::vector<T> result = trained(threads);
    CHECK(std::fegetround() == FE_UPWARD);
    set_float_mode(before);
    return result;
  };
  const std::vector<T> upward = trained_upward(1);
  CHECK_FALSE(same_bits(upward, nearest));
  CHECK(same_bits(trained_upward(4), upward));
  CHECK(same_bits(trained(4), nearest));
}

TEST_CASE("predictions of threads at the same time are those of one alone") {
  Network<float> network(classifier({20, 96, 96, 10}, "relu"));
  network.initialize({}, 3);
  Problem<float> problem(700, 20, 10, 11);
  const auto predicted = [&](int threads) {
    std::vector<float> y(700 * 10);
    predict(in_place(network), problem.inputs(), {y.data(), 700, 10, 10}, threads);
    return y;
  };
  const std::vector<float> alone = predicted(1);
  std::vector<std::thread> callers;
  std::atomic<int> differences{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        if (!same_bits(predicted(3), alone)) ++differences;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(differences.load() == 0);
}
