// Work in stages: the parts of a stage run in parallel, and a stage begins when all of the one
// before have ended. Threads wait for one another by spinning, which costs some tenths of a
// microsecond a stage: for work that is cut so fine that jobs of the team would cost as much as it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

#include "base/cpu.hpp"
#include "base/team.hpp"

namespace pymlp {

inline constexpr int kMostParts = 64;  // of a stage

namespace detail {

class alignas(64) Stage {
 public:
  void begin(int parts) { left_.store(parts, std::memory_order_relaxed); }
  bool claim(int part) {
    const std::uint64_t bit = std::uint64_t{1} << part;
    if ((claimed_.load(std::memory_order_relaxed) & bit) != 0) return false;
    return (claimed_.fetch_or(bit, std::memory_order_relaxed) & bit) == 0;
  }
  void end_part() { left_.fetch_sub(1, std::memory_order_release); }
  bool ended() const { return left_.load(std::memory_order_acquire) == 0; }

 private:
  std::atomic<std::uint64_t> claimed_{0};
  std::atomic<int> left_{0};
};

// Whoever has claimed a part is at it, so waiting ends; on an oversubscribed machine it may need
// this very processor.
inline void wait_for(const Stage& stage, const std::atomic<bool>& failed) {
  constexpr int kSpins = 4000;
  for (int spins = 0; !stage.ended() && !failed.load(std::memory_order_relaxed); ++spins) {
    spins < kSpins ? relax() : std::this_thread::yield();
  }
}

inline constexpr index_t kStagesAtOnce = 32;

template <class PartsOf, class Body>
void some_stages(index_t count, int threads, PartsOf&& parts_of, Body&& body) {
  std::array<Stage, kStagesAtOnce> stages;
  std::atomic<bool> failed{false};
  for (index_t s = 0; s < count; ++s) stages[static_cast<std::size_t>(s)].begin(parts_of(s));
  const auto take_parts = [&](index_t s, int self) {
    Stage& stage = stages[static_cast<std::size_t>(s)];
    const int parts = parts_of(s);
    for (int i = 0; i < parts; ++i) {
      const int part = (self + i) % parts;
      if (!stage.claim(part)) continue;
      body(s, part);
      stage.end_part();
    }
    wait_for(stage, failed);
  };
  parallel_for(threads, threads, [&](index_t self, index_t) {
    try {
      for (index_t s = 0; s < count && !failed.load(std::memory_order_relaxed); ++s) {
        take_parts(s, static_cast<int>(self));
      }
    } catch (...) {
      failed.store(true, std::memory_order_relaxed);
      throw;
    }
  });
}

}  // namespace detail

// Calls body(stage, part) once for every part of every stage: parts_of(stage) of them, from 1 to
// kMostParts. A thread takes the part of its own number first, so that it finds the same data in
// its cache every time, then what nobody has taken: one that does not arrive costs nothing. An
// exception ends the work and is thrown here.
template <class PartsOf, class Body>
void parallel_stages(index_t stages, int threads, PartsOf&& parts_of, Body&& body) {
  for (index_t first = 0; first < stages; first += detail::kStagesAtOnce) {
    const index_t count = std::min(detail::kStagesAtOnce, stages - first);
    detail::some_stages(
        count, threads, [&](index_t s) { return parts_of(first + s); },
        [&](index_t s, int part) { body(first + s, static_cast<index_t>(part)); });
  }
}

}  // namespace pymlp
