// Trainings beside each other, and rows of a source: what each learns alone, bit for bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "model/together.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// Sessions whose data and networks differ in size.
template <class T>
struct Sessions {
  explicit Sessions(double average, index_t epochs = 5) {
    for (index_t i = 0; i < 5; ++i) {
      problems.emplace_back(40 + 30 * i, 3, 2, 20 + static_cast<std::uint64_t>(i));
      const FitOptions options{.epochs = epochs, .batch_size = 16, .average = average};
      sessions.push_back(std::make_unique<Session<T>>(program, kAdam, kCrossEntropy,
                                                      problems.back().with_labels(), options,
                                                      problems.front().with_labels()));
    }
  }
  std::vector<Trainer<T>*> trainers() {
    std::vector<Trainer<T>*> all;
    for (auto& session : sessions) all.push_back(&session->trainer());
    return all;
  }

  Program program = classifier({3, 24, 2});
  std::list<Problem<T>> problems;
  std::vector<std::unique_ptr<Session<T>>> sessions;
};

}  // namespace

TEST_CASE_TEMPLATE("trainings together end as each alone does, on any number of threads", T, float,
                   double) {
  for (const double average : {0.0, 0.9}) {
    Sessions<T> alone(average);
    for (auto& session : alone.sessions) CHECK(session->run() == Status::epochs);
    for (const int threads : {1, 2, 3, 8}) {
      Sessions<T> together(average);
      Interrupt never([] { return false; });
      for (const index_t epochs : {1, 100}) {
        train_together<T>(together.trainers(), epochs, kForever, threads, never);
        for (const auto& session : together.sessions) {
          CHECK(session->trainer().epochs_done() == (epochs == 1 ? 1 : 5));
        }
      }
      for (std::size_t i = 0; i < alone.sessions.size(); ++i) {
        CHECK(same_bits(together.sessions[i]->parameters(), alone.sessions[i]->parameters()));
        CHECK(together.sessions[i]->history().validation_loss ==
              alone.sessions[i]->history().validation_loss);
      }
    }
  }
}

TEST_CASE("an interrupt ends trainings together, and time does, after whole steps") {
  const index_t epochs = 1'000'000;
  Sessions<float> sessions(0.0, epochs);
  Interrupt at_once([] { return true; }, std::chrono::milliseconds(0));
  train_together<float>(sessions.trainers(), epochs, kForever, 2, at_once);
  CHECK(sessions.trainers().front()->samples_seen() == 0);
  Interrupt never([] { return false; });
  train_together<float>(sessions.trainers(), epochs, 0.0, 1, never);
  CHECK(sessions.trainers().front()->samples_seen() > 0);
  for (const Trainer<float>* trainer : sessions.trainers()) {
    CHECK(trainer->status() == Status::running);
  }
}

TEST_CASE_TEMPLATE("rows of a source are trained on as copies of them are", T, float, double) {
  Problem<T> problem(200, 3, 2, 7);
  std::vector<index_t> numbers;
  for (index_t i = 0; i < 90; ++i) numbers.push_back((7 * i) % 200);
  Problem<T> copied(90, 3, 2, 7);
  for (index_t i = 0; i < 90; ++i) {
    const index_t row = numbers[static_cast<std::size_t>(i)];
    std::copy_n(problem.inputs().row(row), 3, copied.x.data() + 3 * i);
    copied.labels[i] = problem.labels[row];
    copied.weights[i] = problem.weights[row];
  }
  const auto source = [](const Problem<T>& of, std::span<const index_t> rows) {
    return ArraySource<T>(of.inputs(), {of.labels.data(), {}}, of.weights.data(), rows);
  };
  for (const bool shuffle : {true, false}) {
    const FitOptions options{.epochs = 3, .batch_size = 16, .shuffle = shuffle};
    Session<T> ours(classifier({3, 24, 2}), kAdam, kCrossEntropy, source(problem, numbers), options,
                    source(problem, numbers));
    Session<T> theirs(classifier({3, 24, 2}), kAdam, kCrossEntropy, source(copied, {}), options,
                      source(copied, {}));
    CHECK(ours.run() == Status::epochs);
    CHECK(theirs.run() == Status::epochs);
    CHECK(same_bits(ours.parameters(), theirs.parameters()));
    CHECK(ours.history().validation_loss == theirs.history().validation_loss);
    CHECK(ours.history().loss == theirs.history().loss);
  }
}
