// Program: operations over numbered buffers, each with its stretch of the parameter arena.
#include "model/program.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "model/workspace.hpp"
#include "ops/table.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

Program plain(const std::vector<index_t>& widths, bool biases = true, double dropout = 0.0) {
  return Program({widths, std::vector<Activation>(widths.size() - 1), biases,
                  std::vector<double>(widths.size() - 2, dropout)});
}

std::vector<OperationKind> kinds_of(const Program& program) {
  std::vector<OperationKind> kinds;
  for (const Operation& op : program.operations()) kinds.push_back(op.kind);
  return kinds;
}

}  // namespace

TEST_CASE("a layer is a product, an activation, and dropout where there is a rate") {
  using enum OperationKind;
  const std::vector<Activation> activations(3, named("tanh"));
  const Program program({{3, 4, 5, 2}, activations, true, {0.5, 0.0}});
  CHECK(kinds_of(program) ==
        std::vector{dense, activation, dropout, dense, activation, dense, activation});
  CHECK(program.has_dropout());
  CHECK_FALSE(Program({{3, 4, 5, 2}, activations, true, {0.0, 0.0}}).has_dropout());
  CHECK(program.operation(2).rate == 0.5);
  CHECK(program.n_layers() == 3);
  CHECK(program.n_inputs() == 3);
  CHECK(program.n_outputs() == 2);
  for (index_t l = 0; l < 3; ++l) {
    CHECK(program.dense(l).kind == dense);
    CHECK(program.dense(l).layer == l);
    CHECK(program.activation(l).kind == activation);
    CHECK(program.activation(l).layer == l);
    CHECK(program.activation(l).activation.kind == ActivationKind::tanh);
  }
}

TEST_CASE("every operation reads the buffer that the one before it wrote") {
  const Program program = plain({3, 4, 5, 2}, true, 0.5);
  CHECK(program.n_buffers() == program.n_operations() + 1);
  index_t width = 3;
  for (index_t i = 0; i < program.n_operations(); ++i) {
    const Operation& op = program.operation(i);
    CHECK(op.input == i);
    CHECK(op.output == i + 1);
    CHECK(op.n_in == width);
    if (op.kind != OperationKind::dense) CHECK(op.n_out == op.n_in);
    width = op.n_out;
  }
  CHECK(width == program.n_outputs());
}

TEST_CASE("parameters lie in the order of operations, weights before biases") {
  const Program program = plain({2, 4, 3}, true, 0.5);
  CHECK(program.n_parameters() == 27);
  std::vector<float> arena(27);
  const auto offset = [&](const float* place) { return place - arena.data(); };
  CHECK(offset(weights_of(program.dense(0), arena.data()).data) == 0);
  CHECK(offset(biases_of(program.dense(0), arena.data())) == 8);
  CHECK(offset(weights_of(program.dense(1), arena.data()).data) == 12);
  CHECK(offset(biases_of(program.dense(1), arena.data())) == 24);
  index_t next = 0;
  for (const Operation& op : program.operations()) {
    CHECK(op.first_parameter == next);
    next += op.n_parameters;
  }
  CHECK(next == program.n_parameters());
}

TEST_CASE("without biases there is no room for them") {
  const Program program = plain({2, 4, 3}, false);
  std::vector<float> arena(20);
  CHECK(program.n_parameters() == 20);
  CHECK(biases_of(program.dense(0), arena.data()) == nullptr);
  CHECK(weights_of(program.dense(1), arena.data()).data == arena.data() + 8);
}

TEST_CASE("cuts follow from what a row costs and holds") {
  const Program program = plain({2, 4, 3}, true, 0.5);
  CHECK(program.widest() == 4);
  CHECK(plain({9, 4, 3}).widest() == 9);
  CHECK(program.numbers_of_a_sample() == 2 + 2 * (4 + 3));
  CHECK(program.forward_operations() == 2 * (2 * 4 + 4 * 3) + 30 * (4 + 3));
}

TEST_CASE("impossible networks are refused") {
  CHECK_THROWS_AS(Program({{3}, {}, true, {}}), std::invalid_argument);
  CHECK_THROWS_AS(Program({{3, 2}, {}, true, {}}), std::invalid_argument);
  CHECK_THROWS_AS(Program({{3, 2}, {{}}, true, {0.5}}), std::invalid_argument);
  CHECK_THROWS_AS(plain({3, 2, 1}, true, 1.0), std::invalid_argument);
  CHECK_THROWS_AS(plain({3, 2, 1}, true, -0.1), std::invalid_argument);
  CHECK_THROWS_AS(plain({3, 2, 1}, true, std::nan("")), std::invalid_argument);
  CHECK_THROWS_AS(plain({3, 0, 2}), std::invalid_argument);
  CHECK_THROWS_AS(plain({3, -1}), std::invalid_argument);
  CHECK_THROWS_AS(plain({index_t{1} << 31, 1}), std::invalid_argument);
  CHECK_THROWS_AS(plain({0x7fffffff, 0x7fffffff}), std::invalid_argument);
  CHECK_THROWS_WITH(plain({3, 0}), "widths must be from 1 to 2147483647, not 0");
}

// ---- where buffers lie
// ---------------------------------------------------------------------------

namespace {

bool share(const Place& a, const Place& b) { return a.offset == b.offset && a.shift == b.shift; }

// No two matrices of `rows` rows overlap, but for those that share a place.
void check_apart(const Placement& places, index_t rows) {
  std::vector<Place> all(places.values.begin() + 1, places.values.end());
  if (!places.gradients.empty()) {
    all.insert(all.end(), places.gradients.begin() + 1, places.gradients.end());
  }
  const auto first = [rows](const Place& a) { return rows * a.offset + a.shift; };
  for (const Place& a : all) {
    CHECK(a.cols <= a.stride);
    CHECK(first(a) + rows * a.stride <= places.size(rows));
    for (const Place& b : all) {
      CHECK((share(a, b) || first(a) + rows * a.stride <= first(b) ||
             first(b) + rows * b.stride <= first(a)));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("an operation works in place where no later one reads its input", T, float,
                   double) {
  // tanh' follows from a, silu' needs z. The operations: dense, tanh, dropout, dense, silu,
  // dropout, dense, sigmoid.
  const Program program(
      {{3, 20, 5, 2}, {named("tanh"), named("silu"), named("sigmoid")}, true, {0.5, 0.5}});
  const Placement backward = place<T>(program, Keep::for_backward);
  CHECK(share(backward.values[1], backward.values[2]));
  CHECK(share(backward.values[2], backward.values[3]));
  CHECK_FALSE(share(backward.values[4], backward.values[5]));
  CHECK_FALSE(share(backward.values[7], backward.values[8]));  // a loss may read either
  const Placement training = place<T>(program, Keep::for_training);
  CHECK(share(training.values[1], training.values[2]));
  CHECK_FALSE(share(training.values[2], training.values[3]));
  for (const Placement& places : {backward, training}) {
    for (const index_t rows : {16, 256}) check_apart(places, rows);
    CHECK(share(places.gradients[1], places.gradients[3]));
    CHECK_FALSE(share(places.gradients[3], places.gradients[4]));
  }
}

TEST_CASE_TEMPLATE("a loss alone keeps nothing for a way back", T, float, double) {
  const Program program(
      {{3, 20, 5, 2}, {named("tanh"), named("silu"), named("sigmoid")}, true, {0.5, 0.5}});
  const auto kept = [&](Purpose purpose, Mode mode) {
    return place<T>(program, keep_for(purpose, mode, program)).kept;
  };
  CHECK(kept(Purpose::loss, Mode::inference).empty());
  CHECK_FALSE(kept(Purpose::gradient, Mode::inference).empty());
  // With dropout in place a user's inputs would be written.
  CHECK(keep_for(Purpose::loss, Mode::training, program) == Keep::for_training);
}

TEST_CASE_TEMPLATE("who wants everything finds z and a of every layer apart", T, float, double) {
  const Program program = plain({3, 20, 5, 2});
  const Placement places = place<T>(program, Keep::everything);
  for (const index_t rows : {16, 256}) check_apart(places, rows);
  for (index_t i = 1; i < program.n_buffers(); ++i) {
    for (index_t j = 1; j < i; ++j) {
      CHECK_FALSE(share(places.values[static_cast<std::size_t>(i)],
                        places.values[static_cast<std::size_t>(j)]));
    }
  }
}

TEST_CASE_TEMPLATE("a prediction needs two matrices, however deep the network", T, float, double) {
  const Placement shallow = place<T>(plain({3, 20, 5, 2}), Keep::outputs);
  const Placement deep = place<T>(plain({3, 20, 20, 5, 20, 5, 2}), Keep::outputs);
  for (const index_t rows : {1, 256}) check_apart(deep, rows);
  CHECK(deep.numbers_of_a_row == shallow.numbers_of_a_row);
  CHECK_FALSE(share(deep.values[1], deep.values[3]));  // a product does not write what it reads
}
