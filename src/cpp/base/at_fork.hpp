// AtFork: locks across a fork. The child has one thread, that which forked, and a copy of all
// memory as the other threads left it: a lock that one of them held is never released there.
#pragma once

#include <functional>

namespace pymlp {

// All run on the thread that forks, and all of a kind before the next kind: `before_first` waits
// for threads that may need any lock, `before` takes locks, and `before_last` those that other
// threads need until all of `before` have run.
struct ForkHooks {
  std::function<void()> before_first{};
  std::function<void()> before{};
  std::function<void()> before_last{};
  std::function<void()> in_parent{};
  std::function<void()> in_child{};
};

// Keeps hooks enrolled as long as it lives: the last member of what they refer to.
class AtFork {
 public:
  explicit AtFork(ForkHooks hooks);
  ~AtFork();
  AtFork(const AtFork&) = delete;
  AtFork& operator=(const AtFork&) = delete;

  const ForkHooks& hooks() const { return hooks_; }

 private:
  ForkHooks hooks_;
};

}  // namespace pymlp
