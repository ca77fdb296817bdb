"""The rules of holds: the cases beside them, and what no policy may say."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.flow.hold_rules import HoldPolicyError, judge, load_hold_policy
from hub.flow.risk_facts import FACTS, Value
from hub.registry import rule_text

RULES = Path(__file__).parents[3] / "rules" / "holds"
CASES = sorted((RULES / "cases").glob("*.toml"))

NOTHING: dict[str, Value] = dict.fromkeys(FACTS) | {
    "value": 0,
    "total": 0,
    "lines": 0,
    "units": 0,
    "captured": 0,
    "customer_orders": 0,
    "customer_orders_recent": 0,
    "address_orders": 0,
    "address_orders_recent": 0,
    "skus": (),
    "tags": (),
    "on_lists": (),
    "address_problems": (),
    "secured": False,
    "export": False,
    "billing_differs": False,
    "first_to_address": False,
    "authorisation_expiring": False,
}


class Told(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    holds: list[str]
    facts: dict[str, Any] = {}


class Case(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    orders: list[Told]
    example: str | None = None


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_comes_out_as_it_says(path: Path) -> None:
    case = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Case)
    shipped = rule_text("holds", "default")
    policy = load_hold_policy((RULES / "examples" / f"{case.example}.toml").read_text() if case.example else shipped)
    for told in case.orders:
        assert told.facts.keys() <= FACTS.keys()
        facts = NOTHING | {key: tuple(v) if isinstance(v, list) else v for key, v in told.facts.items()}
        found = [f"{one.rule.kind} ({one.reason})" for one in judge(policy.holds, facts, "order") if one.holds]
        assert found == told.holds, told.about


def test_there_are_cases() -> None:
    assert len(CASES) == 3


ONE = 'version = "v"\n[[holds]]\nkind = "k"\nreason = "r"\nowner = "o"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = ", "holds policy"),
        ('version = ""', "version"),
        ('version = "v"\nhold = 3', "hold"),
        ('version = "v"\nrecent_hours = 0', "recent_hours"),
        (ONE + 'when = "order.vale > 3"', r"k.when: 1:7: order has no fact 'vale'; did you mean 'value'"),
        (ONE + 'when = "order.value >"', r"k.when: 1:\d+"),
        (ONE + 'when = "order"', "order has no fact ''"),
        (ONE + 'when = "true"\nlift = ["sometime"]', "lift is change"),
        (ONE + 'when = "true"\nlift = ["timer"]', "a timer needs"),
        (ONE + 'when = "true"\nafter = "3m"', "a timer needs"),
        (ONE + 'when = "true"\nlift = ["timer"]\nafter = "soon"', "after is a number"),
        (ONE + 'when = "true"\nlift = ["hold:k"]', "cannot wait for itself"),
        (ONE + 'when = "true"\nstops = ["reserve"]', "stops|reserve"),
        (ONE + 'when = "true"\nrole = "king"', "role"),
        (ONE + 'when = "true"\nlate = "perhaps"', "late"),
        (ONE + 'when = "true"\nstops = ["post"]\nlate = "recall"', "late is about released units"),
        (ONE.replace('"k"', '"manual"') + 'when = "true"', "the hub itself"),
        (ONE + 'when = "true"\n' + ONE.partition("\n")[2] + 'when = "true"', "another rule of this kind"),
        ('version = "v"\n[lists.l]\nemails = ["a@b.example"]', "SHA-256"),
    ],
)
def test_a_policy_that_nobody_can_mean_is_refused_by_its_key(text: str, told: str) -> None:
    with pytest.raises(HoldPolicyError, match=told):
        load_hold_policy(text)


def test_what_cannot_be_judged_holds_and_says_so() -> None:
    policy = load_hold_policy(ONE + 'when = "order.authorisation_hours_left < 3"')
    (found,) = judge(policy.holds, NOTHING, "order")
    assert found.holds
    assert found.reason.startswith("cannot be judged: ")


def test_a_condition_that_is_no_condition_holds_and_says_so() -> None:
    (found,) = judge(load_hold_policy(ONE + 'when = "order.value"').holds, NOTHING, "order")
    assert (found.holds, found.reason) == (True, "cannot be judged: it gives 0, which is neither true nor false")


def test_a_policy_knows_what_it_reads() -> None:
    careful = load_hold_policy((RULES / "examples" / "careful_shop.toml").read_text())
    assert careful.history
    assert careful.people
    assert careful.watches == ("expiring",)
    shipped = load_hold_policy(rule_text("holds", "default"))
    assert not shipped.history
    assert not shipped.people
    assert shipped.watches == ()
