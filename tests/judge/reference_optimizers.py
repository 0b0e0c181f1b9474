"""The judge of optimisers: one step on a flat list of parameters w with gradients g.

Each rule gives the new w and keeps in `state`, an empty dict at first, what the next step needs;
t counts steps from 1. All of them climb instead of descend where `maximize` is set, and let weights
decay: through the gradient, g + weight_decay w, or decoupled from it, before the step.
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

Vector = list[float]
State = dict[str, Any]
Step = Callable[..., Vector]


# ---- what rules are made of ----------------------------------------------------------------------
def accumulate(state: State, name: str, decay: float, new: Vector, share: float = 1.0) -> Vector:
    """Replace state[name], 0 at first, by decay * state[name] + share * new."""
    old = state.get(name, [0.0] * len(new))
    state[name] = [decay * o + share * n for o, n in zip(old, new, strict=True)]
    return list(state[name])


def count(state: State) -> int:
    """Give t."""
    state["t"] = state.get("t", 0) + 1
    return int(state["t"])


def squares(g: Vector) -> Vector:
    return [g_i * g_i for g_i in g]


def ratios(numerators: Vector, denominators: Vector) -> Vector:
    return [n / d for n, d in zip(numerators, denominators, strict=True)]


def roots(s: Vector, epsilon: float, scale: float = 1.0) -> Vector:
    return [math.sqrt(s_i) / scale + epsilon for s_i in s]


def descend(w: Vector, direction: Vector, learning_rate: float) -> Vector:
    return [w_i - learning_rate * d_i for w_i, d_i in zip(w, direction, strict=True)]


def decaying(decoupled_always: bool = False) -> Callable[[Step], Step]:
    """Give a rule weight decay and the choice to climb."""

    def decorate(step: Step) -> Step:
        @wraps(step)
        def decayed(
            w: Vector,
            g: Vector,
            state: State,
            *,
            learning_rate: float,
            weight_decay: float = 0.0,
            decoupled_weight_decay: bool = decoupled_always,
            maximize: bool = False,
            **options: Any,
        ) -> Vector:
            g = [-g_i for g_i in g] if maximize else g
            if decoupled_weight_decay:
                w = [w_i - learning_rate * weight_decay * w_i for w_i in w]
            else:
                g = [g_i + weight_decay * w_i for g_i, w_i in zip(g, w, strict=True)]
            return step(w, g, state, learning_rate=learning_rate, **options)

        return decayed

    return decorate


# ---- one velocity --------------------------------------------------------------------------------
@decaying()
def sgd_step(
    w: Vector,
    g: Vector,
    state: State,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
) -> Vector:
    """Set v = momentum v + (1 - dampening) g, at first g, and w -= learning_rate v.

    Nesterov looks one step ahead along v.
    """
    fresh = 1.0 if count(state) == 1 else 1.0 - dampening
    v = accumulate(state, "v", momentum, g, fresh)
    ahead = [g_i + momentum * v_i for g_i, v_i in zip(g, v, strict=True)]
    return descend(w, (ahead if nesterov else v) if momentum else g, learning_rate)


@decaying()
def momentum_step(
    w: Vector, g: Vector, state: State, *, learning_rate: float, beta: float
) -> Vector:
    """Set v = beta v + (1 - beta) g, w -= learning_rate v."""
    return descend(w, accumulate(state, "v", beta, g, 1.0 - beta), learning_rate)


@decaying(decoupled_always=True)
def lion_step(
    w: Vector, g: Vector, state: State, *, learning_rate: float, beta1: float, beta2: float
) -> Vector:
    """W -= learning_rate sign(beta1 m + (1 - beta1) g), then m = beta2 m + (1 - beta2) g."""
    m = state.get("m", [0.0] * len(w))
    c = [beta1 * m_i + (1.0 - beta1) * g_i for m_i, g_i in zip(m, g, strict=True)]
    accumulate(state, "m", beta2, g, 1.0 - beta2)
    return descend(w, [math.copysign(1.0, c_i) if c_i else 0.0 for c_i in c], learning_rate)


# ---- divided by the size of the gradients --------------------------------------------------------
@decaying()
def rmsprop_step(
    w: Vector,
    g: Vector,
    state: State,
    *,
    learning_rate: float,
    beta: float,
    epsilon: float,
    momentum: float = 0.0,
    centered: bool = False,
) -> Vector:
    """Set s = beta s + (1 - beta) g^2, w -= learning_rate g / (sqrt(s) + epsilon).

    Centred: the square of the mean gradient is taken from s. Momentum gathers the quotients.
    """
    s = accumulate(state, "s", beta, squares(g), 1.0 - beta)
    mean = accumulate(state, "mean", beta, g, 1.0 - beta)
    if centered:
        # A variance: rounding alone can take it below 0.
        s = [max(0.0, s_i - mean_i * mean_i) for s_i, mean_i in zip(s, mean, strict=True)]
    quotient = ratios(g, roots(s, epsilon))
    return descend(w, accumulate(state, "buffer", momentum, quotient), learning_rate)


@decaying()
def adagrad_step(
    w: Vector,
    g: Vector,
    state: State,
    *,
    learning_rate: float,
    epsilon: float,
    learning_rate_decay: float = 0.0,
    initial_accumulator: float = 0.0,
) -> Vector:
    """Set s += g^2; w -= learning_rate / (1 + (t - 1) learning_rate_decay) g / (sqrt(s) + eps)."""
    state.setdefault("s", [initial_accumulator] * len(w))
    s = accumulate(state, "s", 1.0, squares(g))
    rate = learning_rate / (1.0 + (count(state) - 1) * learning_rate_decay)
    return descend(w, ratios(g, roots(s, epsilon)), rate)


@decaying()
def adadelta_step(
    w: Vector, g: Vector, state: State, *, learning_rate: float, beta: float, epsilon: float
) -> Vector:
    """Go along d, the root mean square of past d over that of the gradients, times g."""
    s = accumulate(state, "s", beta, squares(g), 1.0 - beta)
    r = state.get("r", [0.0] * len(w))
    d = [
        math.sqrt(r_i + epsilon) / math.sqrt(s_i + epsilon) * g_i
        for r_i, s_i, g_i in zip(r, s, g, strict=True)
    ]
    accumulate(state, "r", beta, squares(d), 1.0 - beta)
    return descend(w, d, learning_rate)


# ---- mean over root mean square ------------------------------------------------------------------
@decaying()
def adam_step(
    w: Vector,
    g: Vector,
    state: State,
    *,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    amsgrad: bool = False,
) -> Vector:
    """Set m = beta1 m + (1 - beta1) g and v = beta2 v + (1 - beta2) g^2 at step t = 1, 2, ...

    w -= learning_rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon), where AMSGrad
    takes the largest v so far.
    """
    t = count(state)
    m = accumulate(state, "m", beta1, g, 1.0 - beta1)
    v = accumulate(state, "v", beta2, squares(g), 1.0 - beta2)
    if amsgrad:
        v = state["largest"] = list(map(max, v, state.get("largest", v)))
    quotient = ratios(m, roots(v, epsilon, math.sqrt(1.0 - beta2**t)))
    return descend(w, quotient, learning_rate / (1.0 - beta1**t))


adamw_step = decaying(decoupled_always=True)(adam_step)


def amsgrad_step(w: Vector, g: Vector, state: State, **options: Any) -> Vector:
    return adam_step(w, g, state, amsgrad=True, **options)


@decaying()
def adamax_step(
    w: Vector,
    g: Vector,
    state: State,
    *,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> Vector:
    """Set u = max(beta2 u, |g| + epsilon), w -= learning_rate / (1 - beta1^t) m / u."""
    t = count(state)
    m = accumulate(state, "m", beta1, g, 1.0 - beta1)
    old = state.get("u", [0.0] * len(w))
    u = [max(beta2 * u_i, abs(g_i) + epsilon) for u_i, g_i in zip(old, g, strict=True)]
    state["u"] = u
    return descend(w, ratios(m, u), learning_rate / (1.0 - beta1**t))


@decaying()
def nadam_step(
    w: Vector,
    g: Vector,
    state: State,
    *,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    momentum_decay: float,
) -> Vector:
    """Adam whose mean looks one step ahead, with mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)."""
    t = count(state)
    now, after = (beta1 * (1.0 - 0.5 * 0.96 ** (k * momentum_decay)) for k in (t, t + 1))
    product = state["product"] = state.get("product", 1.0) * now
    m = accumulate(state, "m", beta1, g, 1.0 - beta1)
    v = accumulate(state, "v", beta2, squares(g), 1.0 - beta2)
    shares = (1.0 - now) / (1.0 - product), after / (1.0 - product * after)
    ahead = [shares[0] * g_i + shares[1] * m_i for g_i, m_i in zip(g, m, strict=True)]
    quotient = ratios(ahead, roots(v, epsilon, math.sqrt(1.0 - beta2**t)))
    return descend(w, quotient, learning_rate)
