// Gradients: against central differences, with all that a step adds to a loss.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// Compares a gradient with the central differences of loss() in every parameter.
template <class LossOf>
void check_slopes(Network<double>& network, const std::vector<double>& gradient, LossOf loss) {
  constexpr double step = 1e-5;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    double& w = network.parameters()[i];
    const double value = w;
    w = value + step;
    const double above = loss();
    w = value - step;
    const double below = loss();
    w = value;
    CHECK(std::abs(gradient[i] - (above - below) / (2.0 * step)) < 1e-8);
  }
}

Network<double> small_network(double dropout) {
  return Network<double>(
      {{3, 5, 4, 2}, {named("tanh"), named("silu"), named("sigmoid")}, true, {dropout, dropout}});
}

}  // namespace

TEST_CASE("a batch's gradient agrees with central differences") {
  Network<double> network = small_network(0.0);
  network.initialize({}, 1);
  Samples<double> samples(40, 3, 2, 10);
  Dataset<double> data = samples.with_values();
  data.sample_weight = samples.weights.data();
  BatchPass<double> pass(network.layout(), kBinaryCrossEntropy, 40, 2);
  const Batch<double> batch{data, nullptr, 0, 40};
  std::vector<double> gradient(static_cast<std::size_t>(network.layout().n_parameters()));
  pass.gradient(network.parameters(), batch, gradient.data());
  check_slopes(network, gradient, [&] { return pass.loss(network.parameters(), batch).mean(); });
}

TEST_CASE("so does that of a step with dropout and penalties") {
  Network<double> network = small_network(0.4);
  network.initialize({}, 1);
  Samples<double> samples(40, 3, 2, 10);
  const Dataset<double> data = samples.with_values();
  BatchPass<double> pass(network.layout(), kBinaryCrossEntropy, 40, 2, Dropout::on);
  // A rate of 0: steps compute and change nothing. Draws of one number: all drop the same units.
  Optimizer<double> still({.learning_rate = 0.0}, network.layout().n_parameters());
  std::vector<double> gradient(static_cast<std::size_t>(network.layout().n_parameters()));
  const auto step = [&] {
    return pass
        .step(network.parameters(), {data, nullptr, 0, 40}, gradient.data(), still,
              {.l1 = 0.01, .l2 = 0.1}, DropoutDraws{3, 7}, nullptr)
        .mean();
  };
  step();
  check_slopes(network, std::vector<double>(gradient), step);
}

TEST_CASE_TEMPLATE("a pass with room for dropout drops nothing unless told to", T, float, double) {
  Samples<T> samples(60, 3, 2, 12);
  const Dataset<T> data = samples.with_labels();
  Network<T> network(classifier({3, 8, 8, 2}, "tanh", "softmax", 0.5));
  network.initialize({}, 1);
  const auto gradient_of = [&](Dropout dropout) {
    BatchPass<T> pass(network.layout(), kCrossEntropy, 60, 1, dropout);
    std::vector<T> gradient(static_cast<std::size_t>(network.layout().n_parameters()));
    pass.gradient(network.parameters(), {data, nullptr, 0, 60}, gradient.data());
    return gradient;
  };
  CHECK(same_bits(gradient_of(Dropout::on), gradient_of(Dropout::off)));
}
