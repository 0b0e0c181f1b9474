// The one way to throw: check(condition, "X must have ", 4, " columns, not ", 3), which Python sees
// as a ValueError; check_state() where the call, not an argument, is wrong: a RuntimeError.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace pymlp {

namespace detail {

inline std::string text(std::string_view part) { return std::string(part); }

template <class Number>
  requires std::is_arithmetic_v<Number>
std::string text(Number number) {
  return std::to_string(number);
}

}  // namespace detail

template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw std::invalid_argument((std::string() + ... + detail::text(parts)));
}

template <class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) fail(parts...);
}

template <class... Parts>
void check_state(bool condition, const Parts&... parts) {
  if (!condition) throw std::runtime_error((std::string() + ... + detail::text(parts)));
}

}  // namespace pymlp
