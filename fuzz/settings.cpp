// What the core reads as text: names, the number of threads, a cgroup's quota.
#include <fuzzer/FuzzedDataProvider.h>

#include <sstream>
#include <stdexcept>

#include "base/cpu.hpp"
#include "kernels/activation.hpp"
#include "kernels/arithmetic.hpp"
#include "kernels/loss.hpp"
#include "kernels/optimizer_rule.hpp"

namespace {

template <class Find>
void refused_or_found(Find&& find) {
  try {
    find();
  } catch (const std::invalid_argument&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider bytes(data, size);
  const int cpus = bytes.ConsumeIntegralInRange(1, 1024);
  std::istringstream quota(bytes.ConsumeRandomLengthString());
  const std::string text = bytes.ConsumeRandomLengthString();
  const int within = pymlp::cpus_within(cpus, quota, text.c_str());
  if (within < 1 || within > cpus) __builtin_trap();
  const std::vector<double> numbers = {1.0, 0.5};
  const auto count = bytes.ConsumeIntegralInRange<std::size_t>(0, 2);
  const std::span<const double> parameters(numbers.data(), count);
  refused_or_found([&] { pymlp::make_activation(text, parameters); });
  refused_or_found([&] { pymlp::make_loss(text, parameters, 0.0); });
  refused_or_found([&] { pymlp::optimizer_of_name(text); });
  refused_or_found([&] { pymlp::arithmetic_of_name(text); });
  return 0;
}
