#include "base/at_fork.hpp"

#include <mutex>
#include <unordered_set>
#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace pymlp {

namespace {

// Never destroyed: networks and threads may outlive static destruction.
struct Register {
  std::mutex mutex;  // held from before a fork until after it
  std::unordered_set<const AtFork*> enrolled;
};

Register& all();

[[maybe_unused]] void call(std::function<void()> ForkHooks::* when) {
  for (const AtFork* one : all().enrolled) {
    if (one->hooks().*when) (one->hooks().*when)();
  }
}

Register& all() {
  static Register* instance = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(
        [] {
          all().mutex.lock();
          call(&ForkHooks::before_first);
          call(&ForkHooks::before);
          call(&ForkHooks::before_last);
        },
        [] {
          call(&ForkHooks::in_parent);
          all().mutex.unlock();
        },
        [] {
          call(&ForkHooks::in_child);
          all().mutex.unlock();
        });
#endif
    return new Register;
  }();
  return *instance;
}

}  // namespace

AtFork::AtFork(ForkHooks hooks) : hooks_(std::move(hooks)) {
  const std::lock_guard lock(all().mutex);
  all().enrolled.insert(this);
}

AtFork::~AtFork() {
  const std::lock_guard lock(all().mutex);
  all().enrolled.erase(this);
}

}  // namespace pymlp
