// The only file that includes cblas.h. The bundled OpenBLAS lies beside the module under a name of
// its own and is opened at first use; a system BLAS is linked.
#include "kernels/blas.hpp"

#include <cblas.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "base/check.hpp"

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

void* open_library() {
  const StartingEnvironment quiet;
  void* handle = dlopen(PYMLP_BLAS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(std::string("cannot load BLAS: ") + dlerror());
  return handle;
}

template <class Function>
Function symbol(void* handle, const char* name) {
  void* address = dlsym(handle, name);
  if (address == nullptr) throw std::runtime_error(std::string("BLAS lacks ") + name);
  return reinterpret_cast<Function>(address);
}

std::string path_of(void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

// "OpenBLAS 0.3.34 ... USE64BITINT DYNAMIC_ARCH ...": the second word is the version.
std::string second_word(std::string_view text) {
  const auto start = text.find(' ');
  if (start == std::string_view::npos) return "";
  const auto rest = text.substr(start + 1);
  return std::string(rest.substr(0, rest.find(' ')));
}

Library load() {
  void* handle = open_library();
  const auto config = symbol<const char* (*)()>(handle, "scipy_openblas_get_config");
  const auto core = symbol<const char* (*)()>(handle, "scipy_openblas_get_corename");
  void* sgemm = symbol<void*>(handle, "scipy_cblas_sgemm");
  return {symbol<Gemm<float>>(handle, "scipy_cblas_sgemm"),
          symbol<Gemm<double>>(handle, "scipy_cblas_dgemm"),
          {"OpenBLAS, bundled", second_word(config()), core(), path_of(sgemm)}};
}

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

#endif

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

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

Description describe() { return library().description; }

}  // namespace pymlp::blas
