#include "kernels/initializer.hpp"

#include <cmath>
#include <string>

#include "base/buffer.hpp"
#include "base/check.hpp"
#include "kernels/table.hpp"

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

double logarithm(double x) {
  double y = 0.0;
  kernels<double>().elementary(Elementary::log, &y, &x, 1);
  return y;
}

// Marsaglia & Bray's polar method: square roots and a logarithm only, so the same on every machine.
double draw_normal(Random& random) {
  for (;;) {
    const double u = 2.0 * random.uniform() - 1.0;
    const double v = 2.0 * random.uniform() - 1.0;
    const double s = u * u + v * v;
    if (s > 0.0 && s < 1.0) return u * std::sqrt(-2.0 * logarithm(s) / s);
  }
}

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

double dot(const double* x, const double* y, index_t n) {
  double sum = 0.0;
  for (index_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

// Gram-Schmidt with one repetition, which is orthogonal up to rounding ("twice is enough", Kahan).
void orthonormalize_rows(MatrixView<double> q, Interrupt* interrupt) {
  constexpr index_t kLook = 64;  // rows from one look at the clock to the next
  for (index_t i = 0; i < q.rows; ++i) {
    double* qi = q.row(i);
    for (int pass = 0; pass < 2; ++pass) {
      for (index_t r = 0; r < i; ++r) {
        if (r % kLook == 0 && requested(interrupt)) return;
        const double projection = dot(qi, q.row(r), q.cols);
        for (index_t j = 0; j < q.cols; ++j) qi[j] -= projection * q.row(r)[j];
      }
    }
    const double length = std::sqrt(dot(qi, qi, q.cols));
    for (index_t j = 0; j < q.cols; ++j) qi[j] /= length;
  }
}

// Rows or columns orthonormal, whichever are fewer. Saxe et al., arXiv:1312.6120.
template <class T>
void fill_orthogonal(MatrixView<T> w, Random& random, Interrupt* interrupt) {
  const bool wide = w.rows <= w.cols;
  Buffer<double> memory(w.rows * w.cols);
  const MatrixView<double> q = wide ? memory.matrix(w.rows, w.cols) : memory.matrix(w.cols, w.rows);
  fill_normal(q, 1.0, random, interrupt);
  orthonormalize_rows(q, interrupt);
  for (index_t i = 0; i < w.rows; ++i) {
    for (index_t j = 0; j < w.cols; ++j) {
      w.row(i)[j] = static_cast<T>(wide ? q.row(i)[j] : q.row(j)[i]);
    }
  }
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
