"""The rules of pick-up: the cases beside them, and what no policy may say."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from hub.domain.network import Node, NodeKind, OpeningHours
from hub.flow.pick_up_rules import PickUpPolicyError, load_pick_up_policy
from hub.registry import rule_text

CASES = sorted((Path(__file__).parents[3] / "rules" / "pick_up" / "cases").glob("*.toml"))


class Want(msgspec.Struct, forbid_unknown_fields=True):
    what: Literal["accept", "collect"]
    now: datetime
    until: datetime | None = None
    kind: NodeKind = NodeKind.STORE


class Case(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    wanted: list[Want]


def store(kind: NodeKind = NodeKind.STORE) -> Node:
    hours = OpeningHours(weekdays=(0, 1, 2, 3, 4, 5), holidays=("2026-04-06",))
    return Node(id=1, code="BERLIN", name="Berlin", kind=kind, timezone="Europe/Berlin", calendar=hours)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_comes_out_as_it_says(path: Path) -> None:
    case = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Case)
    policy = load_pick_up_policy(rule_text("pick_up", "default"))
    found = [
        policy.accept_by(w.now, store(w.kind)) if w.what == "accept" else policy.collect_by(w.now, store(w.kind))
        for w in case.wanted
    ]
    assert found == [want.until for want in case.wanted]


def test_there_are_cases() -> None:
    assert len(CASES) == 2


def test_a_node_may_have_hours_of_its_own() -> None:
    text = 'version = "v"\n[accept.minutes]\nstore = 60\n[nodes.BERLIN]\nopens = 11:00:00\ncloses = 12:00:00'
    early = datetime(2026, 3, 24, 5, tzinfo=UTC)
    assert load_pick_up_policy(text).accept_by(early, store()) == datetime(2026, 3, 24, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = ", "pick-up policy"),
        ('version = ""', "version"),
        ('version = "v"\nwindow = 3', "window"),
        ('version = "v"\n[hours]\nopens = 19:00:00', "closes after it opens"),
        ('version = "v"\n[accept.minutes]\nkiosk = 3', "kiosk"),
        ('version = "v"\n[accept.minutes]\nstore = 0', "accept.minutes"),
        ('version = "v"\n[collect]\nexpired = "keep"', "keep"),
        ('version = "v"\n[code]\nlength = 3', "code.length"),
        ('version = "v"\n[code]\ntries = 0', "code.tries"),
        ('version = "v"\n[claim]\nstores = 1', "claim.stores"),
    ],
)
def test_a_policy_that_nobody_can_mean_is_refused_by_its_key(text: str, told: str) -> None:
    with pytest.raises(PickUpPolicyError, match=told):
        load_pick_up_policy(text)
