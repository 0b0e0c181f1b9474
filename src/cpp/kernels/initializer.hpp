// Initialisers of a layer's weights. Biases are initialised to 0.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "base/view.hpp"
#include "kernels/activation.hpp"

namespace pymlp {

enum class InitializerKind : std::uint8_t {
  automatic,  // he_normal for the ReLU family, lecun_normal for selu, glorot_uniform otherwise
  constant,
  normal,
  uniform,
  glorot_uniform,
  glorot_normal,
  he_uniform,
  he_normal,
  lecun_uniform,
  lecun_normal,
  orthogonal,
};

struct Initializer {
  InitializerKind kind = InitializerKind::automatic;
  double scale = 0.0;  // the constant, the standard deviation, the bound; unused by the others
};

InitializerKind initializer_of_name(std::string_view name);

// Fills w (n_in, n_out). Drawn in double and rounded, so both dtypes begin alike. Where an
// interrupt comes, w is left unfinished.
template <class T>
void initialize(MatrixView<T> w, const Initializer& initializer, const Activation& activation,
                Random& random, Interrupt* interrupt = nullptr);

}  // namespace pymlp
