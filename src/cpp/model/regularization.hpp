// Regularization: penalties and limits on weights and gradients.
#pragma once

#include <span>

#include "model/plan.hpp"

namespace pymlp {

// 0: none.
struct Regularization {
  double l1 = 0.0;          // adds l1 sum |w| to the loss, over weights, not biases
  double l2 = 0.0;          // adds l2 / 2 sum w^2
  double clip_norm = 0.0;   // scales a longer gradient back to this length
  double clip_value = 0.0;  // holds each entry of the gradient within this
  double max_norm = 0.0;    // scales longer columns of weights, those into one unit, back to this

  bool has_penalty() const { return l1 > 0.0 || l2 > 0.0; }
};

// Adds the penalty's gradient to a stretch of the arena; returns the penalty.
template <class T>
double penalize(const Program& program, const Stretch& stretch, const Regularization& options,
                const T* parameters, T* gradient);

// The length of a whole gradient; `squares` has a number for each stretch.
template <class T>
double gradient_norm(const Plan& plan, const T* gradient, std::span<double> squares, int threads);

// What clip_norm leaves of a gradient of this norm.
double clipped_share(double norm, const Regularization& options);

// Holds the norm of the weights into every unit within max_norm; `scratch` has a number for each
// unit of the widest layer.
template <class T>
void limit_norms(const Program& program, const Regularization& options, T* parameters, T* scratch);

}  // namespace pymlp
