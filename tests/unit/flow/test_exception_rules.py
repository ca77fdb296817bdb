"""The rules of exceptions: the cases beside them, and what no text may say."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from hub.flow.exception_rules import ExceptionRuleError, Severity, load_exception_rules
from hub.registry import rule_text

CASES = sorted((Path(__file__).parents[3] / "rules" / "exceptions" / "cases").glob("*.toml"))


class Want(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    severity: Severity
    sla_hours: int
    team: str


class Case(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    wanted: list[Want]
    rules: str | None = None


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_comes_out_as_it_says(path: Path) -> None:
    case = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Case)
    rules = load_exception_rules(case.rules or rule_text("exceptions", "default"))
    for wanted in case.wanted:
        rule = rules.of(wanted.kind)
        assert (wanted.kind, rule.severity, rule.sla_hours, rule.team) == (
            wanted.kind,
            wanted.severity,
            wanted.sla_hours,
            wanted.team,
        )


def test_there_are_cases() -> None:
    assert len(CASES) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = ", "exception rules"),
        ('version = ""', "version"),
        ('[default]\nteam = "x"', "version"),
        ('version = "v"\n[default]\nsla_hours = 0', "sla_hours"),
        ('version = "v"\n[default]\nseverity = "awful"', "severity"),
        ('version = "v"\n[kinds.deficit]\nteam = ""', "team"),
        ('version = "v"\n[kinds."*deficit"]\nteam = "x"', "kinds"),
        ('version = "v"\n[kinds.deficit]\nsla = 3', "sla"),
    ],
)
def test_a_text_that_nobody_can_mean_is_refused_by_its_key(text: str, told: str) -> None:
    with pytest.raises(ExceptionRuleError, match=told):
        load_exception_rules(text)
