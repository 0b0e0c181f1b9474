// Orthogonal matrices, uniformly distributed: Saxe et al., arXiv:1312.6120.
#pragma once

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "base/view.hpp"

namespace pymlp {

// Rows or columns of w orthonormal, whichever are fewer. As many numbers as w has are held in
// double, and 384 rows of the longer side. Where an interrupt comes, w is left unfinished.
template <class T>
void fill_orthogonal(MatrixView<T> w, const Random& random, Interrupt* interrupt);

}  // namespace pymlp
