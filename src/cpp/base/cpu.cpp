#include "base/cpu.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "base/check.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace pymlp {

bool cpu_supports(Isa isa) {
#if defined(__x86_64__) && defined(__GNUC__)
  switch (isa) {
    case Isa::generic:
      return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("fma");
  }
  return false;
#else
  return isa == Isa::generic;
#endif
}

std::string name_of(Isa isa) {
  switch (isa) {
    case Isa::generic:
      return "generic";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  return "unknown";
}

bool has_fused_multiply_add([[maybe_unused]] Isa isa) {
#if defined(__FMA__) || defined(__aarch64__)
  return true;
#else
  return isa != Isa::generic;
#endif
}

namespace {

Isa widest_isa() {
  if (cpu_supports(Isa::avx512)) return Isa::avx512;
  if (cpu_supports(Isa::avx2)) return Isa::avx2;
  return Isa::generic;
}

Isa forced_or_widest_isa() {
  const char* forced = std::getenv("PYMLP_ISA");
  if (forced == nullptr || *forced == '\0') return widest_isa();
  for (const Isa isa : {Isa::generic, Isa::avx2, Isa::avx512}) {
    if (name_of(isa) != forced) continue;
    check(cpu_supports(isa), "PYMLP_ISA is '", forced, "', which this processor does not support");
    return isa;
  }
  fail("PYMLP_ISA must be generic, avx2 or avx512, not '", forced, "'");
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  return text;
}

// What cgroup v2 has in one file, v1 in two.
std::istringstream cpu_quota() {
  std::string text = first_line("/sys/fs/cgroup/cpu.max");
  if (text.empty()) {
    text = first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") + ' ' +
           first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  }
  return std::istringstream(text);
}

// Quota over period ("50000 100000"); 0 or less where there is none ("max 100000", "-1 100000").
double cgroup_cpus(std::istream& file) {
  double quota = 0.0;
  double period = 0.0;
  return file >> quota >> period && period > 0.0 ? quota / period : 0.0;
}

// Of a list ("4,2") the first number is meant; 0 where the text is null or none.
long openmp_threads(const char* text) {
  if (text == nullptr) return 0;
  char* end = nullptr;
  const long threads = std::strtol(text, &end, 10);
  while (*end == ' ') ++end;
  return *end == '\0' || *end == ',' ? std::max(threads, 0L) : 0;
}

int affinity_cpus() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

Isa selected_isa() {
  static const Isa isa = forced_or_widest_isa();
  return isa;
}

int usable_cpus() {
  std::istringstream quota = cpu_quota();
  return cpus_within(affinity_cpus(), quota, nullptr);
}

int available_cpus() {
  std::istringstream quota = cpu_quota();
  return cpus_within(affinity_cpus(), quota, std::getenv("OMP_NUM_THREADS"));
}

int cpus_within(int cpus, std::istream& quota_text, const char* omp_num_threads) {
  if (const double quota = cgroup_cpus(quota_text); quota > 0.0) {
    cpus = static_cast<int>(std::clamp(std::ceil(quota), 1.0, static_cast<double>(cpus)));
  }
  const long limit = openmp_threads(omp_num_threads);
  return limit > 0 ? static_cast<int>(std::min<long>(cpus, limit)) : cpus;
}

}  // namespace pymlp
