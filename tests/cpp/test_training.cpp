// Training as a whole: it learns, and what ends it leaves order.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

TEST_CASE_TEMPLATE("a network learns what no straight line tells apart", T, float, double) {
  Samples<T> samples(400, 2, 2, 1);
  const FitOptions options{.epochs = 150, .batch_size = 32};
  SUBCASE("labels") {
    Session<T> session(classifier({2, 16, 2}), kAdam, kCrossEntropy, samples.with_labels(),
                       options);
    CHECK(session.run() == Status::epochs);
    CHECK(session.history().loss.size() == 150);
    CHECK(session.history().loss.back() < 0.1);
  }
  SUBCASE("values") {
    Session<T> session(classifier({2, 16, 2}, "relu", "linear"), kAdam, kMse, samples.with_values(),
                       options);
    CHECK(session.run() == Status::epochs);
    CHECK(session.history().loss.back() < 0.05);
  }
}

TEST_CASE_TEMPLATE("rates for each epoch, and the same for each step, train alike", T, float,
                   double) {
  Samples<T> samples(100, 3, 2, 13);
  constexpr std::size_t kSteps = 7;  // of an epoch
  std::vector<double> epochs;
  std::vector<double> steps;
  for (const double rate : {0.1, 0.03, 0.2}) {
    epochs.push_back(rate);
    steps.insert(steps.end(), kSteps, rate);
  }
  const auto trained = [&](const std::vector<double>& rates) {
    Session<T> session(classifier({3, 8, 2}), kSgd, kCrossEntropy, samples.with_labels(),
                       {.epochs = 3, .batch_size = 16, .learning_rates = rates});
    CHECK(session.run() == Status::epochs);
    CHECK(session.history().learning_rate == epochs);
    return session.parameters();
  };
  CHECK(same_bits(trained(epochs), trained(steps)));
}

TEST_CASE_TEMPLATE("looks in between change nothing", T, float, double) {
  Samples<T> samples(100, 3, 2, 3);
  const auto session_of = [&] {
    return Session<T>(classifier({3, 8, 2}), kSgd, kCrossEntropy, samples.with_labels(),
                      {.epochs = 4, .batch_size = 16});
  };
  auto whole = session_of();
  auto stepped = session_of();
  CHECK(whole.run() == Status::epochs);
  while (stepped.step() == Status::running) {
  }
  CHECK(stepped.optimizer().steps() == 4 * 7);
  CHECK(same_bits(whole.parameters(), stepped.parameters()));
  CHECK(whole.history().loss == stepped.history().loss);
}

TEST_CASE_TEMPLATE("a pulse that says stop leaves whole steps", T, float, double) {
  Samples<T> samples(1000, 20, 10, 4);
  Regularization limits;
  SUBCASE("plain") {}
  SUBCASE("limited") { limits = all_limits(); }
  const auto session_of = [&] {
    FitOptions options = wide_batches(3);
    options.epochs = 1'000'000;
    options.regularization = limits;
    return Session<T>(classifier({20, 64, 64, 10}, "relu"), kSgd, kCrossEntropy,
                      samples.with_labels(), options);
  };
  auto stopped = session_of();
  int asked = 0;
  Pulse third_time([&] { return ++asked == 3; });
  CHECK(stopped.trainer().run(1'000'000, kForever, third_time) == Status::interrupted);
  CHECK(asked == 3);
  CHECK(stopped.optimizer().steps() > 0);
  auto counted = session_of();
  while (counted.optimizer().steps() < stopped.optimizer().steps()) counted.step();
  CHECK(same_bits(stopped.parameters(), counted.parameters()));
  CHECK(stopped.run() == Status::interrupted);  // over is over
}

TEST_CASE_TEMPLATE("divergence takes back the epoch", T, float, double) {
  Samples<T> samples(100, 3, 2, 5);
  Session<T> session(classifier({3, 8, 2}, "relu", "linear"), kAdam, kMse, samples.with_values(),
                     {.epochs = 10, .batch_size = 16});
  CHECK(session.run(2) == Status::running);
  const std::vector<T> before = session.parameters();
  const auto state = session.optimizer().state().span();
  const std::vector<T> state_before(state.begin(), state.end());
  session.optimizer().set_learning_rate(1e300);
  CHECK(session.run() == Status::diverged);
  CHECK(same_bits(session.parameters(), before));
  CHECK(std::ranges::equal(session.optimizer().state().span(), state_before));
  CHECK(session.optimizer().steps() == 2 * 7);
  CHECK(session.history().loss.size() == 2);
}

TEST_CASE("a last step that spoils the parameters counts as divergence") {
  Samples<float> samples(16, 3, 2, 6);
  Session<float> session(classifier({3, 8, 2}, "relu", "linear"), kSgd, kMse, samples.with_values(),
                         {.epochs = 1, .batch_size = 16});
  const std::vector<float> before = session.parameters();
  session.optimizer().set_learning_rate(1e300);
  CHECK(session.run() == Status::diverged);
  CHECK(same_bits(session.parameters(), before));
}

TEST_CASE("an epoch can be closed where it stands") {
  Samples<float> samples(100, 3, 2, 9);
  Samples<float> held_out(64, 3, 2, 8);
  Session<float> session(classifier({3, 8, 2}), kSgd, kCrossEntropy, samples.with_labels(),
                         {.epochs = 3, .batch_size = 16}, held_out.with_labels());
  Pulse silent([] { return false; });
  const auto close = [&] { return session.trainer().close_epoch(silent); };
  CHECK(close() == Status::running);  // none has begun
  CHECK(session.history().loss.empty());
  CHECK(session.step() == Status::running);
  CHECK(session.step() == Status::running);
  CHECK(close() == Status::running);
  CHECK(session.optimizer().steps() == 2);
  REQUIRE(session.history().loss.size() == 1);
  BatchPass<float> pass(session.network().layout(), kCrossEntropy, 64, 1);
  CHECK(dataset_loss(pass, session.network().parameters(), held_out.with_labels()).mean() ==
        session.history().validation_loss.back());
  CHECK(session.run() == Status::epochs);
  CHECK(session.optimizer().steps() == 2 + 2 * 7);
  CHECK(session.history().loss.size() == 3);
}

TEST_CASE("penalties are recorded beside the loss") {
  Samples<double> samples(32, 3, 2, 10);
  Session<double> session(classifier({3, 8, 2}), kSgd, kCrossEntropy, samples.with_labels(),
                          {.epochs = 1, .batch_size = 32, .regularization = {.l1 = 0.5}});
  double expected = 0.0;
  const Layout& layout = session.network().layout();
  for (const Layer& layer : layout.layers()) {
    const double* w = session.network().parameters() + layer.weights_offset;
    for (index_t i = 0; i < layer.weights_size(); ++i) expected += 0.5 * std::abs(w[i]);
  }
  CHECK(session.run() == Status::epochs);
  CHECK(session.history().penalty.back() == doctest::Approx(expected));
  CHECK(session.history().loss.back() < 2.0);
}

TEST_CASE("time that is up ends a run within an epoch") {
  Samples<float> samples(1000, 20, 10, 9);
  Session<float> session(classifier({20, 64, 10}), kSgd, kCrossEntropy, samples.with_labels(),
                         {.epochs = 1'000'000, .batch_size = 10});
  CHECK(session.run(1'000'000, 0.0) == Status::running);
  CHECK(session.optimizer().steps() == 1);
  CHECK(session.trainer().seconds() > 0.0);
}
