"""Until when who may change what: the cases beside the windows, and what no policy may say."""

import tomllib
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from hub.domain.states import SliceState
from hub.flow.change_window import Asked, ChangePolicyError, Party, Wish, load_change_policy, why_not
from hub.registry import rule_text

CASES = sorted((Path(__file__).parents[3] / "rules" / "changes" / "cases").glob("*.toml"))


class Want(msgspec.Struct, forbid_unknown_fields=True):
    wish: Wish
    by: Party
    state: SliceState
    channel: str = "shop"
    placed_at: datetime | None = None
    why_not: str | None = None


class Case(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    now: datetime
    asked: list[Want]
    policy: str | None = None


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_comes_out_as_it_says(path: Path) -> None:
    case = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Case)
    policy = load_change_policy(case.policy or rule_text("changes", "default"))
    asked = [Asked(w.wish, w.by, frozenset({w.channel}), w.state, w.placed_at or case.now) for w in case.asked]
    assert [why_not(policy, one, case.now) for one in asked] == [w.why_not for w in case.asked]


def test_there_are_cases() -> None:
    assert len(CASES) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = ", "change windows"),
        ('version = ""', "version"),
        ('version = "v"\n[[windows]]\nuntil = "shipped"', "until|shipped"),
        ('version = "v"\n[[windows]]\nuntil = "ready"\nminutes = -1', "window 1: minutes"),
        ('version = "v"\n[[windows]]\nuntil = "ready"\nby = ["stranger"]', "stranger"),
        ('version = "v"\n[[windows]]\nuntil = "ready"\nwho = ["channel"]', "who"),
    ],
)
def test_a_policy_that_nobody_can_mean_is_refused(text: str, told: str) -> None:
    with pytest.raises(ChangePolicyError, match=told):
        load_change_policy(text)


def test_money_of_what_is_cancelled_goes_by_the_first_rule_of_its_channel() -> None:
    policy = load_change_policy(
        'version = "v"\n[[money]]\nhow = "ask"\nchannels = ["shop"]\n[[money]]\nhow = "channel"\n'
    )
    assert policy.paid_back(frozenset({"shop", "web"})) == "ask"
    assert policy.paid_back(frozenset({"market"})) == "channel"
    assert load_change_policy('version = "v"').paid_back(frozenset()) == "refund"


def test_another_word_for_the_money_is_refused() -> None:
    with pytest.raises(ChangePolicyError, match="how"):
        load_change_policy('version = "v"\n[[money]]\nhow = "keep"')
