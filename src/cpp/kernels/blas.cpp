#include "kernels/blas.hpp"

#include <atomic>
#include <mutex>
#include <shared_mutex>

#include "base/at_fork.hpp"
#include "base/check.hpp"
#include "base/fair_shared_mutex.hpp"
#include "kernels/blas_library.hpp"

namespace pymlp::blas {

namespace {

std::atomic<const Library*> loaded{nullptr};

// A fork waits for whoever loads. Never destroyed, as threads may outlive static destruction.
std::mutex* loading = new std::mutex;
[[maybe_unused]] const AtFork& at_fork =
    *new AtFork({.before_last = [] { loading->lock(); },
                 .in_parent = [] { loading->unlock(); },
                 .in_child = [] { loading = new std::mutex; }});

const Library& library() {
  if (const Library* known = loaded.load(std::memory_order_acquire); known != nullptr) {
    return *known;
  }
  const std::lock_guard lock(*loading);
  if (loaded.load(std::memory_order_relaxed) == nullptr) {
    loaded.store(new Library(open_library()), std::memory_order_release);
  }
  return *loaded.load(std::memory_order_relaxed);
}

// Calls share this. A fork waits for them, and so does the end of the process: BLAS may stop its
// own threads and free its memory then, which the calls of other threads would not survive.
FairSharedMutex& calls = *new FairSharedMutex;
[[maybe_unused]] const AtFork& calls_at_fork = *new AtFork({.before_last = [] { calls.lock(); },
                                                            .in_parent = [] { calls.unlock(); },
                                                            .in_child = [] { calls.reset(); }});

struct NoCallsBehind {
  ~NoCallsBehind() { calls.lock(); }  // for ever: threads that are left over sleep
};
const NoCallsBehind no_calls_behind_this_files_destructors;

// The enumerations of CBLAS.
constexpr int kRowMajor = 101;
constexpr int cblas_transpose(Transpose transpose) {
  return transpose == Transpose::yes ? 112 : 111;
}

// CBLAS counts in 32-bit integers here.
int narrow(index_t size) {
  check(size <= 0x7fffffff, "a matrix side must be below 2^31 for BLAS, not ", size);
  return static_cast<int>(size);
}

template <class T>
void call(Gemm<T> function, Transpose ta, Transpose tb, index_t m, index_t n, index_t k, const T* a,
          index_t lda, const T* b, index_t ldb, T beta, T* c, index_t ldc) {
  const std::shared_lock lock(calls);
  function(kRowMajor, cblas_transpose(ta), cblas_transpose(tb), narrow(m), narrow(n), narrow(k),
           T(1), a, narrow(lda), b, narrow(ldb), beta, c, narrow(ldc));
}

}  // namespace

bool is_loaded() { return loaded.load(std::memory_order_acquire) != nullptr; }
void load() { library(); }

template <>
void gemm(Transpose ta, Transpose tb, index_t m, index_t n, index_t k, const float* a, index_t lda,
          const float* b, index_t ldb, float beta, float* c, index_t ldc) {
  call(library().sgemm, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

template <>
void gemm(Transpose ta, Transpose tb, index_t m, index_t n, index_t k, const double* a, index_t lda,
          const double* b, index_t ldb, double beta, double* c, index_t ldc) {
  call(library().dgemm, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

Description describe() {
  const Library* library = loaded.load(std::memory_order_acquire);
  return library != nullptr ? library->description : unopened();
}

}  // namespace pymlp::blas
