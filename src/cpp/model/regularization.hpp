// Regularization: what is asked of weights and gradients beside the loss.
#pragma once

namespace pymlp {

// 0 means: not asked for.
struct Regularization {
  double l1 = 0.0;          // adds l1 sum |w| to the loss, over weights, not biases
  double l2 = 0.0;          // adds l2 / 2 sum w^2
  double clip_norm = 0.0;   // scales a longer gradient back to this length
  double clip_value = 0.0;  // holds each entry of the gradient within this
  double max_norm = 0.0;    // scales longer columns of weights, those into one unit, back to this

  bool has_penalty() const { return l1 > 0.0 || l2 > 0.0; }
};

}  // namespace pymlp
