#include "model/together.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "base/team.hpp"

namespace pymlp {

namespace {

using Clock = std::chrono::steady_clock;

// Of a turn: so long at most a signal, or a fork, waits for what other threads are at.
constexpr double kLongest = 10e-3;
constexpr double kShortest = 100e-6;
constexpr double kTurns = 8.0;  // that each training has at least before the time is up

template <class T>
struct Member {
  Trainer<T>* trainer;
  index_t end;         // epoch
  double share = 0.0;  // that is done

  bool done() const {
    return trainer->status() != Status::running || trainer->epochs_done() >= end ||
           trainer->lacks_values();
  }
};

double seconds_until(Clock::time_point end) {
  return std::chrono::duration<double>(end - Clock::now()).count();
}

Clock::time_point in_seconds(double seconds) {
  constexpr double kYear = 3e7;
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(std::min(seconds, kYear)));
}

class Inside {
 public:
  explicit Inside(std::atomic<int>& count) : count_(count) { ++count_; }
  ~Inside() { --count_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  std::atomic<int>& count_;
};

// As many trainings as there is time for, each by one worker and for at most so many seconds.
template <class T>
void take_turns(const std::vector<Member<T>>& members, int workers, double seconds,
                Interrupt& interrupt) {
  const auto end = in_seconds(kLongest);
  std::atomic<std::size_t> next{0};
  std::atomic<int> inside{0};
  const auto advance = [&] {
    const Inside at_work(inside);
    for (double left = kLongest; left > 0.0 && !interrupt.came(); left = seconds_until(end)) {
      const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= members.size()) return;
      Trainer<T>& trainer = *members[i].trainer;
      trainer.run(members[i].end - trainer.epochs_done(), std::min(left, seconds), interrupt);
    }
  };
  parallel_for(workers, workers, [&](index_t, index_t worker) {
    advance();
    if (worker > 0) return;
    // The caller alone can look for signals: it waits here for the others' steps.
    while (inside.load() > 0 && !interrupt.requested()) std::this_thread::yield();
  });
}

// The least advanced first. Those that had a turn come behind the others: few are out of place.
template <class T>
void sort_by_share(std::vector<Member<T>>& members) {
  for (Member<T>& member : members) member.share = member.trainer->share_done();
  for (std::size_t i = 1; i < members.size(); ++i) {
    for (std::size_t j = i; j > 0 && members[j].share < members[j - 1].share; --j) {
      std::swap(members[j], members[j - 1]);
    }
  }
}

// How many trainings go on at a time. Where there are fewer than threads, their steps may be worth
// more threads than there are trainings: then they go on one at a time.
template <class T>
int set_workers(const std::vector<Member<T>>& members, int threads) {
  const auto count = static_cast<int>(std::min(members.size(), static_cast<std::size_t>(threads)));
  const auto set_threads = [&](int of_each) {
    for (const Member<T>& member : members) member.trainer->set_threads(of_each);
  };
  if (members.front().trainer->calls_user_functions()) return 1;
  if (count < threads) {
    set_threads(threads);
    if (members.front().trainer->workers() > count) return 1;
  }
  set_threads(1);
  return count;
}

}  // namespace

template <class T>
void train_together(std::span<Trainer<T>* const> trainers, index_t epochs, double seconds,
                    int threads, Interrupt& interrupt) {
  const auto end = in_seconds(seconds);
  std::vector<Member<T>> members;
  for (Trainer<T>* trainer : trainers) members.push_back({trainer, trainer->end_of(epochs)});
  for (double left = seconds;; left = seconds_until(end)) {
    std::erase_if(members, [](const Member<T>& member) { return member.done(); });
    if (members.empty() || interrupt.requested()) return;
    sort_by_share(members);
    const int workers = set_workers(members, threads);
    const double share = left * workers / (kTurns * static_cast<double>(members.size()));
    take_turns(members, workers, std::clamp(share, kShortest, kLongest), interrupt);
    if (seconds_until(end) <= 0.0) return;
  }
}

template void train_together(std::span<Trainer<float>* const>, index_t, double, int, Interrupt&);
template void train_together(std::span<Trainer<double>* const>, index_t, double, int, Interrupt&);

}  // namespace pymlp
