// The elementary functions of math/, on arrays, by name: for initialisers and tests.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pymlp {

enum class Elementary : std::uint8_t {
  exp,
  expm1,
  log,
  log1p,
  tanh,
  sigmoid,
  softplus,
  erf,
  sin,
  cos
};

inline constexpr std::string_view kElementaryNames[] = {
    "exp", "expm1", "log", "log1p", "tanh", "sigmoid", "softplus", "erf", "sin", "cos"};

}  // namespace pymlp
