"""The worked cases that ship with the default policy, and that a case which is wrong says so."""

from pathlib import Path

import msgspec
import pytest

from hub.routing.cases import Expected, build, differences, load_case
from hub.routing.certificate import check
from hub.routing.decide import decide
from hub.routing.model import Policy
from hub.routing.policy import load_policy

RULES = Path(__file__).resolve().parents[3] / "rules" / "routing"
CASES = sorted((RULES / "cases").glob("*.toml"))
DEFAULT = load_policy((RULES / "default.toml").read_text())


def test_there_are_cases():
    assert len(CASES) >= 10


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_worked_case(path):
    case = load_case(path.read_text())
    assert differences(case, DEFAULT) == []
    group, snapshot = build(case)
    policy = msgspec.convert({**msgspec.to_builtins(DEFAULT), **case.policy}, Policy)
    assert check(group, snapshot, policy, decide(group, snapshot, policy)) == []


def test_a_case_that_expects_something_else_says_what():
    case = load_case((RULES / "cases" / "shortage_waits.toml").read_text())
    wrong = msgspec.structs.replace(case, expected=Expected(cost=1, runner_up=("A",), reasons={"A": "chosen"}))
    told = differences(wrong, DEFAULT)
    assert [text.split(":")[0] for text in told] == ["parcels", "unfilled", "cost", "runner-up", "reason of A"]


def test_a_case_with_an_unknown_key_is_refused():
    with pytest.raises(msgspec.ValidationError, match="stok"):
        load_case((RULES / "cases" / "shortage_waits.toml").read_text().replace("stock", "stok"))
