#include "kernels/table.hpp"

namespace pymlp {

namespace {

template <Isa isa, class T>
Kernels<T> make_table() {
  Kernels<T> table{};
  add_activations<isa>(table);
  add_parametric<isa>(table);
  add_losses<isa>(table);
  add_lanes<isa>(table);
  add_optimizers<isa>(table);
  add_averages<isa>(table);
  add_reductions<isa>(table);
  add_norms<isa>(table);
  add_rows<isa>(table);
  add_elementary<isa>(table);
  add_packing<isa>(table);
  add_products<isa>(table);
  add_dropout<isa>(table);
  add_penalties<isa>(table);
  add_waves<isa>(table);
  add_peak<isa>(table);
  return table;
}

}  // namespace

template <class T>
Kernels<T> kernels_of([[maybe_unused]] Isa isa) {
#if defined(PYMLP_X86_KERNELS)
  switch (isa) {
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

template <>
const Kernels<float>* SelectedKernels<float>::table = nullptr;
template <>
const Kernels<double>* SelectedKernels<double>::table = nullptr;

template <class T>
const Kernels<T>& select_kernels() {
  static const Kernels<T> table = kernels_of<T>(selected_isa());
  __atomic_store_n(&SelectedKernels<T>::table, &table, __ATOMIC_RELEASE);
  return table;
}

template Kernels<float> kernels_of(Isa);
template Kernels<double> kernels_of(Isa);
template const Kernels<float>& select_kernels();
template const Kernels<double>& select_kernels();

}  // namespace pymlp
