#include "model/access.hpp"

#include <chrono>

#include "base/check.hpp"

namespace pymlp {

// A fork waits until nothing is being written: the child's parameters are those of a whole step. Of
// what other threads did, nothing goes on there.
Access::Access()
    : at_fork_({.before =
                    [this] {
                      left_behind_ = false;
                      mutex_.lock_shared();
                    },
                .in_parent = [this] { mutex_.unlock_shared(); },
                .in_child =
                    [this] {
                      mutex_.reset();
                      left_behind_ = trained_elsewhere();
                      if (left_behind_) trainer_.store({});
                      long_reads_.store(LongRead::count(*this));
                    }}) {}

bool Access::begin_training(Interrupt* interrupt) {
  std::thread::id nobody;
  // The call that a signal handler interrupts would read a mixture, or be waited for for ever.
  check_state(LongRead::count(*this) == 0,
              "a signal handler must not train the network that the interrupted call reads");
  check_state(trainer_.compare_exchange_strong(nobody, std::this_thread::get_id()),
              "this network is being trained already; wait for that to end");
  while (long_reads_.load(std::memory_order_seq_cst) > 0) {
    if (requested(interrupt)) {
      end_training();
      return false;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return true;
}

// Either this read is counted before a training looks for reads, or the training is seen here.
LongRead::LongRead(Access& access) : access_(access), outer_(innermost_) {
  access.long_reads_.fetch_add(1, std::memory_order_seq_cst);
  in_place_ = !access.in_training() || access.trained_here();
  if (!in_place_) access.long_reads_.fetch_sub(1, std::memory_order_release);
  innermost_ = this;
}

LongRead::~LongRead() {
  innermost_ = outer_;
  if (in_place_) access_.long_reads_.fetch_sub(1, std::memory_order_release);
}

int LongRead::count(const Access& access) {
  int count = 0;
  for (const LongRead* read = innermost_; read != nullptr; read = read->outer_) {
    if (read->in_place_ && &read->access_ == &access) ++count;
  }
  return count;
}

}  // namespace pymlp
