// Waves: the cosines of multiples of one number, for the embeddings of numbers.
#include "kernels/table.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/math/turns.hpp"

namespace pymlp {
namespace {

constexpr double kTurnsOfARadian = 0x1.45f306dc9c883p-3;

template <class T>
void waves(const MatrixView<T>& cosines, const MatrixView<T>& slopes, const T* x,
           const T* frequencies, const T* phases) {
  const index_t n = cosines.cols / kLanes * kLanes;
  for (index_t i = 0; i < cosines.rows; ++i) {
    const T w = frequencies[i], b = phases[i] * static_cast<T>(kTurnsOfARadian);
    T* c = cosines.row(i);
    if (slopes.data == nullptr) {
      PYMLP_VECTOR_LOOP
      for (index_t j = 0; j < n; ++j) {
        const auto [rest, half_turns] = math::turn(w, x[j], b);
        c[j] = math::turned(math::cos_of_quarter(rest * rest), half_turns);
      }
      continue;
    }
    T* s = slopes.row(i);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < n; ++j) {
      const auto [rest, half_turns] = math::turn(w, x[j], b);
      const T square = rest * rest;
      c[j] = math::turned(math::cos_of_quarter(square), half_turns);
      s[j] = math::turned(math::minus_sin_of_quarter(rest, square), half_turns);
    }
  }
}

}  // namespace

template <Isa isa, class T>
void add_waves(Kernels<T>& table) {
  table.waves = waves<T>;
}

template void add_waves<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_waves<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp
