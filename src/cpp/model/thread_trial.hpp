// How many threads the steps of a training are worth: all or one, by the clock. Whether sharing a
// step of some microseconds pays depends on what else the machine does and on where its processors
// lie, which is not known beforehand; the result does not depend on the choice.
#pragma once

#include <algorithm>
#include <array>
#include <limits>

#include "base/view.hpp"

namespace pymlp {

class ThreadTrial {
 public:
  // Steps are compared that have this many rows: the last of an epoch may be shorter.
  ThreadTrial(int threads, index_t rows) : all_(threads), rows_(rows) {}

  bool has_choice() const { return all_ > 1; }
  // For the next step.
  int threads() const { return shares() ? all_ : 1; }

  // How long the last step was, and of how many rows.
  void record(double seconds, index_t rows) {
    if (rows != rows_) return;
    double& fastest = fastest_[shares()];
    fastest = std::min(fastest, seconds);
    if (++steps_ < (on_trial_ ? kTrial : pause_)) return;
    steps_ = 0;
    if (on_trial_) {
      judge();
    } else if (!winner_is_all_ || fastest < kLong) {
      try_the_other();
    }
  }

 private:
  static constexpr int kTrial = 8;        // steps
  static constexpr int kFirstPause = 64;  // short trainings do without
  static constexpr int kShortestPause = 256;
  static constexpr int kLongestPause = 8192;
  static constexpr double kLong = 200e-6;  // seconds; such a step is always worth sharing

  bool shares() const { return winner_is_all_ != on_trial_; }

  void try_the_other() {
    on_trial_ = true;
    fastest_[shares()] = std::numeric_limits<double>::infinity();
  }

  void judge() {
    const bool other_wins = fastest_[shares()] < fastest_[!shares()];
    pause_ = other_wins ? kShortestPause : std::min(2 * pause_, kLongestPause);
    if (other_wins) winner_is_all_ = !winner_is_all_;
    on_trial_ = false;
    fastest_[winner_is_all_] = std::numeric_limits<double>::infinity();
  }

  int all_;
  index_t rows_;
  bool winner_is_all_ = true;
  bool on_trial_ = false;
  int steps_ = 0;
  int pause_ = kFirstPause;
  std::array<double, 2> fastest_{std::numeric_limits<double>::infinity(),
                                 std::numeric_limits<double>::infinity()};
};

}  // namespace pymlp
