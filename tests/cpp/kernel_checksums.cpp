// Prints a checksum of what each family of kernels computes, and fails where one instruction set
// gives another than the rest. Knows no BLAS, and what it prints is the same on every machine: the
// outputs of two builds can be compared line by line.
#include <cstdio>

#include "kernel_cases.hpp"

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

}  // namespace

int main() {
  const bool single = print_checksums<float>("float32");
  const bool both = print_checksums<double>("float64") && single;
  return both ? 0 : 1;
}
