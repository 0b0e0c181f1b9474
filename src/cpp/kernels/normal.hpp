// Normal draws.
#pragma once

#include <cmath>

#include "base/random.hpp"
#include "kernels/table.hpp"

namespace pymlp {

// Marsaglia & Bray's polar method: square roots and a logarithm only, so the same on every machine.
inline double draw_normal(Random& random) {
  for (;;) {
    const double u = 2.0 * random.uniform() - 1.0;
    const double v = 2.0 * random.uniform() - 1.0;
    const double s = u * u + v * v;
    if (s > 0.0 && s < 1.0) {
      double logarithm = 0.0;
      kernels<double>().elementary(Elementary::log, &logarithm, &s, 1);
      return u * std::sqrt(-2.0 * logarithm / s);
    }
  }
}

}  // namespace pymlp
