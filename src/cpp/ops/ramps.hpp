// Ramps: of a number x the share of the way from one boundary to the next that it has gone,
// (x - from) / (to - from), from 0 to 1. Beyond the outer boundaries the first and the last one go
// on.
#pragma once

#include "base/view.hpp"

namespace pymlp {

template <class T>
struct Ramp {
  T from, to;  // boundaries
  bool is_first, is_last;

  // Half the difference: none overflows.
  T length() const { return T(0.5) * to - T(0.5) * from; }
};

// Of n numbers, a multiple of 16. At a boundary the slope is that of the ramp that begins there.
template <class T>
void ramp(const Ramp<T>& of, T* __restrict values, const T* __restrict x, index_t n);
template <class T>
void ramp_slopes(const Ramp<T>& of, T* __restrict slopes, const T* __restrict x, index_t n);

}  // namespace pymlp
