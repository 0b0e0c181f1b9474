#include "kernels/initializer.hpp"

#include <cmath>
#include <string>

#include "base/check.hpp"
#include "kernels/normal.hpp"
#include "kernels/orthogonal.hpp"

namespace pymlp {

namespace {

using enum InitializerKind;

struct Name {
  std::string_view name;
  InitializerKind kind;
};

constexpr Name kNames[] = {
    {"auto", automatic},
    {"constant", constant},
    {"normal", normal},
    {"uniform", uniform},
    {"glorot_uniform", glorot_uniform},
    {"glorot_normal", glorot_normal},
    {"he_uniform", he_uniform},
    {"he_normal", he_normal},
    {"lecun_uniform", lecun_uniform},
    {"lecun_normal", lecun_normal},
    {"orthogonal", orthogonal},
};

// w[i, j] = draw(), row by row.
template <class T, class Draw>
void fill(MatrixView<T> w, Interrupt* interrupt, Draw&& draw) {
  constexpr index_t kLook = 1 << 16;
  index_t until_look = kLook;
  for (index_t i = 0; i < w.rows; ++i) {
    for (index_t j = 0; j < w.cols; ++j) {
      if (--until_look == 0) {
        if (requested(interrupt)) return;
        until_look = kLook;
      }
      w.row(i)[j] = static_cast<T>(draw());
    }
  }
}

template <class T>
void fill_uniform(MatrixView<T> w, double bound, Random& random, Interrupt* interrupt) {
  fill(w, interrupt, [&] { return bound * (2.0 * random.uniform() - 1.0); });
}

template <class T>
void fill_normal(MatrixView<T> w, double deviation, Random& random, Interrupt* interrupt) {
  fill(w, interrupt, [&] { return deviation * draw_normal(random); });
}

InitializerKind kind_for(const Activation& activation) {
  switch (traits_of(activation.kind).family) {
    case InitializerFamily::he:
      return he_normal;
    case InitializerFamily::lecun:
      return lecun_normal;
    case InitializerFamily::glorot:
      break;
  }
  return glorot_uniform;
}

template <class T>
void fill_constant(MatrixView<T> w, double value) {
  for (index_t i = 0; i < w.rows; ++i) {
    for (index_t j = 0; j < w.cols; ++j) w.row(i)[j] = static_cast<T>(value);
  }
}

}  // namespace

InitializerKind initializer_of_name(std::string_view name) {
  std::string known;
  for (const Name& entry : kNames) {
    if (entry.name == name) return entry.kind;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  fail("init must be one of ", known, ", not '", name, "'");
}

// Glorot & Bengio, AISTATS 2010; He et al., arXiv:1502.01852; LeCun et al., "Efficient BackProp",
// 1998.
template <class T>
void initialize(MatrixView<T> w, const Initializer& initializer, const Activation& activation,
                Random& random, Interrupt* interrupt) {
  const auto fan_in = static_cast<double>(w.rows);
  const auto fan_out = static_cast<double>(w.cols);
  switch (initializer.kind == automatic ? kind_for(activation) : initializer.kind) {
    case constant:
      return fill_constant(w, initializer.scale);
    case normal:
      return fill_normal(w, initializer.scale, random, interrupt);
    case uniform:
      return fill_uniform(w, initializer.scale, random, interrupt);
    case glorot_uniform:
      return fill_uniform(w, std::sqrt(6.0 / (fan_in + fan_out)), random, interrupt);
    case glorot_normal:
      return fill_normal(w, std::sqrt(2.0 / (fan_in + fan_out)), random, interrupt);
    case he_uniform:
      return fill_uniform(w, std::sqrt(6.0 / fan_in), random, interrupt);
    case he_normal:
      return fill_normal(w, std::sqrt(2.0 / fan_in), random, interrupt);
    case lecun_uniform:
      return fill_uniform(w, std::sqrt(3.0 / fan_in), random, interrupt);
    case lecun_normal:
      return fill_normal(w, std::sqrt(1.0 / fan_in), random, interrupt);
    case orthogonal:
      return fill_orthogonal(w, random, interrupt);
    case automatic:
      break;  // resolved above
  }
}

template void initialize(MatrixView<float>, const Initializer&, const Activation&, Random&,
                         Interrupt*);
template void initialize(MatrixView<double>, const Initializer&, const Activation&, Random&,
                         Interrupt*);

}  // namespace pymlp
