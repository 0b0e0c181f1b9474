// A small library beside the module that is linked to the system's BLAS, so that this is loaded
// when it is chosen and not with the module. The only file that includes cblas.h.
#include <cblas.h>

#define PYMLP_EXPORT extern "C" __attribute__((visibility("default")))

#define PYMLP_GEMM_OF(name, T)                                                            \
  PYMLP_EXPORT void pymlp_##name(int order, int ta, int tb, int m, int n, int k, T alpha, \
                                 const T* a, int lda, const T* b, int ldb, T beta, T* c,  \
                                 int ldc) {                                               \
    name(static_cast<CBLAS_ORDER>(order), static_cast<CBLAS_TRANSPOSE>(ta),               \
         static_cast<CBLAS_TRANSPOSE>(tb), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc); \
  }
PYMLP_GEMM_OF(cblas_sgemm, float)
PYMLP_GEMM_OF(cblas_dgemm, double)

#if defined(OPENBLAS_VERSION)
PYMLP_EXPORT const char* pymlp_openblas_get_config() { return openblas_get_config(); }
PYMLP_EXPORT const char* pymlp_openblas_get_corename() { return openblas_get_corename(); }
#else
PYMLP_EXPORT const char* pymlp_openblas_get_config() { return "unknown"; }
PYMLP_EXPORT const char* pymlp_openblas_get_corename() { return "unknown"; }
#endif
// It has no threads but those of other packages that loaded it before, and these are left to them.
PYMLP_EXPORT void pymlp_openblas_set_num_threads(int) {}
