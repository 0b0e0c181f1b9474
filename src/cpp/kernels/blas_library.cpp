// The bundled OpenBLAS lies beside the module under a name of its own, or a few functions that are
// linked to the system's BLAS do (kernels/system_blas.cpp): either is opened when it is chosen.
#include "kernels/blas_library.hpp"

#include <stdexcept>

#include "base/check.hpp"

#if defined(PYMLP_BLAS_FILE)
#include <dlfcn.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include <filesystem>
#include <string_view>
#include <system_error>
#include <thread>

namespace pymlp::blas {

namespace {

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

#if defined(__linux__)

// A thread that may use one processor alone.
void stay_on_this_processor() {
  const int here = sched_getcpu();
  if (here < 0 || here >= CPU_SETSIZE) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(here, &one);
  sched_setaffinity(0, sizeof one, &one);
}

// OpenBLAS starts a thread for every processor that it may use when it is loaded, and would keep
// them. The package has threads of its own: a thread that may use one processor alone loads it, and
// nothing is started, whatever the environment says, which is not touched. A system's that another
// package has loaded before stays as it is.
void* open_quietly(const std::string& path, std::string& problem) {
  void* handle = nullptr;
  std::thread([&] {
    stay_on_this_processor();
    handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) problem = dlerror();
  }).join();
  return handle;
}

#else

void* open_quietly(const std::string& path, std::string& problem) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) problem = dlerror();
  return handle;
}

#endif

template <class Function>
Function symbol(void* handle, const char* name) {
  void* address = dlsym(handle, name);
  check_state(address != nullptr, "the BLAS library lacks ", name);
  return reinterpret_cast<Function>(address);
}

// " OpenBLAS 0.3.34 DYNAMIC_ARCH ...": the second word, where it is one of OpenBLAS.
std::string version_in(std::string_view config) {
  const auto name = config.find("OpenBLAS ");
  if (name == std::string_view::npos) return std::string(config);
  config.remove_prefix(name + std::string_view("OpenBLAS ").size());
  return std::string(config.substr(0, config.find(' ')));
}

}  // namespace

bool is_built_in() { return true; }

Library open_library() {
  std::string problem;
  void* handle = open_quietly(library_path(), problem);
  check_state(handle != nullptr, "cannot load BLAS: ", problem);
  using Text = const char* (*)();
  const auto text = [&](const char* name) { return std::string(symbol<Text>(handle, name)()); };
  symbol<void (*)(int)>(handle, PYMLP_BLAS_PREFIX "openblas_set_num_threads")(1);
  void* sgemm = symbol<void*>(handle, PYMLP_BLAS_PREFIX "cblas_sgemm");
  return {symbol<Gemm<float>>(handle, PYMLP_BLAS_PREFIX "cblas_sgemm"),
          symbol<Gemm<double>>(handle, PYMLP_BLAS_PREFIX "cblas_dgemm"),
          {PYMLP_BLAS_NAME, version_in(text(PYMLP_BLAS_PREFIX "openblas_get_config")),
           text(PYMLP_BLAS_PREFIX "openblas_get_corename"), path_of(sgemm)}};
}

Description unopened() {
  return {PYMLP_BLAS_NAME, PYMLP_BLAS_VERSION, "not loaded", library_path()};
}

}  // namespace pymlp::blas

#else

namespace pymlp::blas {

bool is_built_in() { return false; }

Library open_library() {
  throw std::runtime_error(
      "this build of pymlp has no BLAS: use the arithmetic 'exact', install a wheel of pymlp, or "
      "build it with -C cmake.define.PYMLP_BLAS=bundled or system");
}

Description unopened() { return {"none", "none", "none", ""}; }

}  // namespace pymlp::blas

#endif
