// The only file that includes cblas.h. The bundled OpenBLAS lies beside the module under a name of
// its own and is opened at first use; a system BLAS is linked.
#include "kernels/blas.hpp"

#include <cblas.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "base/at_fork.hpp"
#include "base/check.hpp"
#include "base/fair_shared_mutex.hpp"

#if defined(PYMLP_BLAS_BUNDLED)
#include <dlfcn.h>
#endif
#if defined(__APPLE__)
#include <crt_externs.h>
#define environ (*_NSGetEnviron())
#else
extern "C" char** environ;
#endif

namespace pymlp::blas {

namespace {

template <class T>
using Gemm = void (*)(CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, int m, int n, int k, T alpha,
                      const T* a, int lda, const T* b, int ldb, T beta, T* c, int ldc);

struct Library {
  Gemm<float> sgemm;
  Gemm<double> dgemm;
  Description description;
};

#if defined(PYMLP_BLAS_BUNDLED)

constexpr const char* kName = "OpenBLAS, bundled";

// OpenBLAS reads OPENBLAS_* from the environment when it is loaded, such as a processor that the
// user chose for another copy of it. The bundled copy is loaded in an environment without these,
// with one thread because the package has its own team. The user's environment block is replaced
// meanwhile, never written.
class StartingEnvironment {
 public:
  StartingEnvironment() : users_(environ) {
    for (char** entry = users_; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view text(*entry);
      const bool ours = text.starts_with("OPENBLAS_") || text.starts_with("GOTO_") ||
                        text.starts_with("OMP_NUM_THREADS=");
      if (!ours) entries_.push_back(*entry);
    }
    entries_.push_back(threads_.data());
    if (const char* core = std::getenv("PYMLP_BLAS_CORETYPE"); core != nullptr && *core != '\0') {
      core_ += core;
      entries_.push_back(core_.data());
    }
    entries_.push_back(nullptr);
    environ = entries_.data();
  }
  ~StartingEnvironment() { environ = users_; }
  StartingEnvironment(const StartingEnvironment&) = delete;
  StartingEnvironment& operator=(const StartingEnvironment&) = delete;

 private:
  char** users_;
  std::string threads_ = "OPENBLAS_NUM_THREADS=1";
  std::string core_ = "OPENBLAS_CORETYPE=";
  std::vector<char*> entries_;
};

std::string path_of(const void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

// Of the library beside the module; its name alone, for the loader to find, where none is there.
std::string library_path() {
  static const char here = 0;
  const auto beside = std::filesystem::path(path_of(&here)).parent_path() / "lib" / PYMLP_BLAS_FILE;
  std::error_code unreadable;
  return std::filesystem::exists(beside, unreadable) ? beside.string() : PYMLP_BLAS_LIBRARY;
}

void* open_library() {
  const StartingEnvironment quiet;
  void* handle = dlopen(library_path().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(std::string("cannot load BLAS: ") + dlerror());
  return handle;
}

template <class Function>
Function symbol(void* handle, const char* name) {
  void* address = dlsym(handle, name);
  if (address == nullptr) throw std::runtime_error(std::string("BLAS lacks ") + name);
  return reinterpret_cast<Function>(address);
}

// " OpenBLAS 0.3.34 ", of the headers that the library came with: the last word is the version.
std::string version() {
  const std::string_view text(OPENBLAS_VERSION);
  const auto end = text.find_last_not_of(' ') + 1;
  return std::string(text.substr(0, end).substr(text.find_last_of(' ', end - 1) + 1));
}

Library load() {
  void* handle = open_library();
  const auto core = symbol<const char* (*)()>(handle, "scipy_openblas_get_corename");
  void* sgemm = symbol<void*>(handle, "scipy_cblas_sgemm");
  return {symbol<Gemm<float>>(handle, "scipy_cblas_sgemm"),
          symbol<Gemm<double>>(handle, "scipy_cblas_dgemm"),
          {kName, version(), core(), path_of(sgemm)}};
}

Description unloaded() { return {kName, version(), "not loaded", library_path()}; }

#else

Library load() {
#if defined(OPENBLAS_VERSION)
  return {cblas_sgemm,
          cblas_dgemm,
          {"OpenBLAS, system", openblas_get_config(), openblas_get_corename(), ""}};
#else
  return {cblas_sgemm, cblas_dgemm, {"system", "unknown", "unknown", ""}};
#endif
}

Description unloaded() { return load().description; }  // it is linked

#endif

std::atomic<const Library*> loaded{nullptr};

// The child of a fork has a new one: whoever loads meanwhile is not there. Never destroyed, as
// threads may outlive static destruction.
std::mutex* loading = new std::mutex;
[[maybe_unused]] const AtFork& at_fork =
    *new AtFork({.in_child = [] { loading = new std::mutex; }});

const Library& library() {
  if (const Library* known = loaded.load(std::memory_order_acquire); known != nullptr) {
    return *known;
  }
  const std::lock_guard lock(*loading);
  if (loaded.load(std::memory_order_relaxed) == nullptr) {
    loaded.store(new Library(load()), std::memory_order_release);
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

auto cblas_transpose(Transpose transpose) {
  return transpose == Transpose::yes ? CblasTrans : CblasNoTrans;
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
  function(CblasRowMajor, cblas_transpose(ta), cblas_transpose(tb), narrow(m), narrow(n), narrow(k),
           T(1), a, narrow(lda), b, narrow(ldb), beta, c, narrow(ldc));
}

}  // namespace

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
  return library != nullptr ? library->description : unloaded();
}

}  // namespace pymlp::blas
