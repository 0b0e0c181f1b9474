// Orthogonal matrices, uniformly distributed: Saxe et al., arXiv:1312.6120.
#pragma once

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "base/view.hpp"

namespace pymlp {

// Rows or columns of w orthonormal, whichever are fewer. The work is done in a copy of w in double
// and, with more than 512 of them, in 256 more as long as they are: at most 1.5 times the copy, and
// a little for each thread, all of it allocated before w is written. Where an interrupt comes, w is
// left unfinished.
template <class T>
void fill_orthogonal(MatrixView<T> w, const Random& random, Interrupt* interrupt);

}  // namespace pymlp
