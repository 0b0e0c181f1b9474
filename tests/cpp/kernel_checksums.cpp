// Prints a checksum of what each family of kernels computes, and fails where one instruction set
// gives another than the rest; then checksums of networks trained with the selected kernels. Needs
// no BLAS, and what it prints is the same on every machine: the outputs of two builds, or of one
// with other values of PYMLP_ISA, can be compared line by line.
#include <cstdio>
#include <cstdlib>

#include "kernel_cases.hpp"
#include "model/predict.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// FNV-1a, over whole words.
class Checksum {
 public:
  void add(const Outcome& outcome) {
    for (const std::uint64_t word : outcome.words()) state_ = (state_ ^ word) * 0x100000001b3;
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

template <class T>
std::uint64_t checksum(const Family<T>& family, Isa isa) {
  const Kernels<T> table = kernels_of<T>(isa);
  Checksum sum;
  family.visit_cases(
      [&](const std::string&, const Compute<T>& compute) { sum.add(compute(table)); });
  return sum.value();
}

template <class T>
bool print_checksums(const char* dtype) {
  bool all_alike = true;
  for (const Family<T>& family : kFamilies<T>) {
    const std::uint64_t expected = checksum(family, Isa::generic);
    std::printf("%-14s %s %016llx\n", family.name, dtype,
                static_cast<unsigned long long>(expected));
    for (const Isa isa : supported_isas()) {
      if (checksum(family, isa) == expected) continue;
      std::printf("%-14s %s differs on %s\n", family.name, dtype, name_of(isa).c_str());
      all_alike = false;
    }
  }
  return all_alike;
}

struct Run {
  const char* name;
  std::vector<index_t> widths;
  double dropout;
  OptimizerRule rule;
  Regularization regularization;
  Norm norm = Norm::none;  // else with every kind of operation
  std::vector<ColumnEmbedding> embedding{};
};

// Odd widths, and a rule of each kind of constants.
std::vector<Run> runs() {
  using enum OptimizerKind;
  OptimizerRule nesterov = rule_of(sgd, 0.9);
  nesterov.nesterov = true;
  return {{"sgd", {3, 130, 2}, 0.0, rule_of(sgd), {}},
          {"nesterov", {17, 64, 64, 6}, 0.3, nesterov, {}},
          {"adam", {31, 100, 47, 10}, 0.0, rule_of(adam), {}},
          {"nadam", {12, 20, 20, 3}, 0.0, rule_of(nadam), {}},
          {"rmsprop", {5, 33, 2}, 0.5, rule_of(rmsprop), all_limits()},
          {"layer", {17, 33, 33, 5}, 0.0, rule_of(adam), {}, Norm::layer},
          {"rms", {33, 33, 17, 3}, 0.0, rule_of(adam), {}, Norm::rms},
          {"batch", {17, 17, 64, 64, 5}, 0.0, rule_of(sgd, 0.9), {}, Norm::batch},
          {"embedding", {7, 33, 33, 5}, 0.0, rule_of(adam), {}, Norm::layer, kEmbedding},
          {"free", {17, 33, 5}, 0.0, rule_of(schedule_free_adamw), {}},
          {"lanes", {5, 16, 7, 3}, 0.0, rule_of(adam), {}},
          {"narrow", {16, 9, 2}, 0.0, rule_of(sgd, 0.9), all_limits()}};
}

Program program_of(const Run& run) {
  if (run.norm != Norm::none) return of_every_operation(run.widths, run.norm, run.embedding);
  return classifier(run.widths, "tanh", "softmax", run.dropout);
}

// Losses and parameters after three shuffled epochs, and predictions from these.
template <class T>
Outcome trained(const Run& run) {
  Problem<T> problem(201, run.widths.front(), run.widths.back(), 2);
  Session<T> session(program_of(run), run.rule, kCrossEntropy, problem.with_labels(),
                     {.epochs = 3,
                      .batch_size = 60,
                      .seed = 3,
                      .threads = 2,
                      .regularization = run.regularization});
  session.run();
  Outcome outcome;
  for (const double loss : session.history().loss) outcome.add(loss);
  outcome.add(session.parameters());
  std::vector<T> y(static_cast<std::size_t>(201 * run.widths.back()));
  predict(in_place(session.network()), problem.inputs(),
          {y.data(), 201, run.widths.back(), run.widths.back()}, 2);
  outcome.add(y);
  return outcome;
}

template <class T>
void print_training(const char* dtype) {
  for (const Run& run : runs()) {
    Checksum sum;
    sum.add(trained<T>(run));
    std::printf("train %-8s %s %016llx\n", run.name, dtype,
                static_cast<unsigned long long>(sum.value()));
  }
}

}  // namespace

int main() {
  const bool single = print_checksums<float>("float32");
  const bool both = print_checksums<double>("float64") && single;
  print_training<float>("float32");
  print_training<double>("float64");
  return both ? 0 : 1;
}
