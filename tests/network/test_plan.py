"""The plan of a batch, as an object and as a table."""

import copy
import dataclasses
import pickle

import pytest

from pymlp import Network


def test_a_plan_is_a_value() -> None:
    net = Network([3, 4, 2])
    plan = net.plan(batch_size=64)
    assert len({plan, net.plan(batch_size=64), net.plan(batch_size=65)}) == 2
    for twin in (copy.deepcopy(plan), pickle.loads(pickle.dumps(plan))):
        assert twin == plan
    assert dataclasses.asdict(plan)["limits"]["few_rows"] == plan.limits.few_rows == 32
    with pytest.raises(TypeError):
        plan.limits["few_rows"] = 1  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.limits.few_rows = 1  # type: ignore[misc]
