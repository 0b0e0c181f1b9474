// Access: who reads and who writes the parameters of a network, and when. The rules stand in
// docs/threads.md.
//
// One thread trains. Its steps read the parameters as they go forward and back; only while it
// writes them it holds the lock alone. Others read in place, a few rows under the shared lock; what
// takes longer reads in place while nobody trains, and a copy while somebody does.
#pragma once

#include <atomic>
#include <thread>

#include "base/at_fork.hpp"
#include "base/fair_shared_mutex.hpp"
#include "base/interrupt.hpp"

namespace pymlp {

class Access {
 public:
  Access();
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  // Of the parameters. Whoever holds it runs no user function, waits for no GIL and looks for no
  // signal.
  FairSharedMutex& mutex() { return mutex_; }

  // Makes this thread the one that trains; throws where there is one. Then waits for the long reads
  // in place that are going on; where an interrupt comes first nobody trains, and it is false.
  bool begin_training(Interrupt* interrupt);
  void end_training() noexcept { trainer_.store({}, std::memory_order_seq_cst); }
  bool in_training() const { return trainer_.load(std::memory_order_seq_cst) != std::thread::id(); }
  bool trained_here() const {
    return trainer_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  // For a hook of the child of a fork: whether a thread that trained is not there to go on.
  bool left_behind() const { return left_behind_ || trained_elsewhere(); }

 private:
  friend class LongRead;

  bool trained_elsewhere() const { return in_training() && !trained_here(); }

  FairSharedMutex mutex_;
  std::atomic<std::thread::id> trainer_{};  // none: nobody trains
  std::atomic<int> long_reads_{0};          // in place
  bool left_behind_ = false;                // in the child, once this one's hook has run there
  AtFork at_fork_;
};

// A read that takes longer than one waits for under a lock.
class LongRead {
 public:
  explicit LongRead(Access& access);
  ~LongRead();
  LongRead(const LongRead&) = delete;
  LongRead& operator=(const LongRead&) = delete;

  // Nobody writes while this lives. Otherwise a copy is to be read.
  bool in_place() const { return in_place_; }

  // Of this thread, by one network.
  static int count(const Access& access);

 private:
  Access& access_;
  const LongRead* outer_;
  bool in_place_;
  static inline thread_local const LongRead* innermost_ = nullptr;
};

// One training, as a scope.
class TrainingScope {
 public:
  TrainingScope(Access& access, Interrupt* interrupt)
      : access_(access), begun_(access.begin_training(interrupt)) {}
  ~TrainingScope() {
    if (begun_) access_.end_training();
  }
  TrainingScope(const TrainingScope&) = delete;
  TrainingScope& operator=(const TrainingScope&) = delete;

  bool begun() const { return begun_; }

 private:
  Access& access_;
  bool begun_;
};

}  // namespace pymlp
