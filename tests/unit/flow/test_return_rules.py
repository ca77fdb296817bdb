"""The rules of returns: the cases beside them, and what no policy may say."""

import tomllib
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from hub.domain.returns import Disposition, RefundWhen
from hub.flow.return_rules import Candidate, ReturnPolicyError, judge, load_return_policy
from hub.registry import rule_text

CASES = sorted((Path(__file__).parents[3] / "rules" / "returns" / "cases").glob("*.toml"))


class Want(msgspec.Struct, forbid_unknown_fields=True):
    reason: str
    left_at: datetime | None = None
    classes: tuple[str, ...] = ()
    ships: bool = True
    why_not: str | None = None


class Case(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    now: datetime
    wanted: list[Want]
    policy: str | None = None


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_comes_out_as_it_says(path: Path) -> None:
    case = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Case)
    policy = load_return_policy(case.policy or rule_text("returns", "default"))
    candidates = [Candidate(str(n), w.reason, w.left_at, w.classes, w.ships) for n, w in enumerate(case.wanted)]
    assert [verdict.why_not for verdict in judge(policy, candidates, case.now)] == [w.why_not for w in case.wanted]


def test_there_are_cases() -> None:
    assert len(CASES) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = ", "returns policy"),
        ('version = ""', "version"),
        ('version = "v"\nwindow = 3', "window"),
        ('version = "v"\nwindow_days = -1', "window_days"),
        ('version = "v"\nfee_percent = 101', "fee_percent"),
        ('version = "v"\nrefund = "sometime"', "refund"),
        ('version = "v"\n[dispositions]\nscrap = 130', "dispositions"),
        ('version = "v"\n[route]\ncurrency = "XXX"', "currency"),
    ],
)
def test_a_policy_that_nobody_can_mean_is_refused_by_its_key(text: str, told: str) -> None:
    with pytest.raises(ReturnPolicyError, match=told):
        load_return_policy(text)


def test_a_reason_says_only_what_it_says() -> None:
    policy = load_return_policy(
        'version = "v"\nrefund = "now"\nfee = 5\n[reasons.damaged]\nfee = 0\n[dispositions]\nscrap = 40'
    )
    assert (policy.under("damaged").fee, policy.under("damaged").refund) == (0, RefundWhen.NOW)
    assert policy.under("other") is policy
    assert [policy.percent(d) for d in (Disposition.SCRAP, Disposition.RESTOCK, Disposition.SENT_BACK)] == [40, 100, 0]
