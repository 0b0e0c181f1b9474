#include "kernels/table.hpp"

namespace pymlp {

namespace {

template <Isa isa, class T>
Kernels<T> make_table() {
  Kernels<T> table{};
  add_activations<isa>(table);
  add_losses<isa>(table);
  add_optimizers<isa>(table);
  add_dense<isa>(table);
  add_elementary<isa>(table);
  add_regularization<isa>(table);
  return table;
}

template <class T>
Kernels<T> select_table() {
#if defined(PYMLP_X86_KERNELS)
  switch (selected_isa()) {
    case Isa::avx512:
      return make_table<Isa::avx512, T>();
    case Isa::avx2:
      return make_table<Isa::avx2, T>();
    case Isa::generic:
      break;
  }
#endif
  return make_table<Isa::generic, T>();
}

}  // namespace

template <class T>
const Kernels<T>& kernels() {
  static const Kernels<T> table = select_table<T>();
  return table;
}

template const Kernels<float>& kernels();
template const Kernels<double>& kernels();

}  // namespace pymlp
