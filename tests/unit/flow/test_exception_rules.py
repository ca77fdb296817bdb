"""The rules of exceptions: the cases beside them, and what no text may say."""

import ast
import gc
import importlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from hub.flow.exception_rules import ExceptionRuleError, Severity, load_exception_rules
from hub.flow.hold import NEXT_STEPS
from hub.flow.waiting import BACKORDERED, PREORDER, SHORTAGE, UNDECIDED, UNROUTABLE
from hub.registry import rule_text
from hub.store.parcels import NEXT_STEPS as PARCELS

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


# --- every kind has a rule -------------------------------------------------------------------------------------------

HUB = Path(__file__).parents[3] / "hub"

PROBLEMS = {"bad_text", "bad_flag", "bad_row", "bad_value", "duplicate_line", "unmapped_group", "unmapped_method"}
"""Further problems of a mapping (docs/mapping.md)."""

WAITS = {SHORTAGE, UNROUTABLE, BACKORDERED, PREORDER, UNDECIDED, "pick_up_refused", "unknown_sku"}

READ_FROM_VALUES = {
    # Problems that mapping and translating find: NEXT_STEPS has a step for those that need their own.
    "flow/hold.py:trouble_of": set(NEXT_STEPS) | PROBLEMS,
    "flow/waiting.py:begin_waiting": WAITS,
    "flow/take_order.py:unresolved": {"unknown_sku"},
    # What an outcome names is read where it is made: `NeedsPerson(kind=...)`.
    "flow/consequences.py:trouble": set(),
    "store/parcels.py:_trouble": set(PARCELS),
}
"""Kinds that the code computes, by the function that does."""


@dataclass
class Source:
    """One module, and what its text says of exceptions."""

    path: Path

    def __post_init__(self) -> None:
        # A collection in the middle of parsing ends in "AST constructor recursion depth mismatch" (Python 3.11).
        gc.disable()
        try:
            self.tree = ast.parse(self.path.read_text("utf-8"))
        finally:
            gc.enable()
        name = ".".join(self.path.relative_to(HUB.parent).with_suffix("").parts)
        self.name = name.removesuffix(".__init__")
        self.functions = [n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """Calls of a function, class or method by its written name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
                yield node

    def around(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef:
        """The function that a node stands in."""
        return next(f for f in reversed(self.functions) if any(inner is node for inner in ast.walk(f)))

    def kinds(self, call: ast.Call, position: int = 0) -> set[str]:
        """What the `kind` of a call may be; a parameter is followed to the calls of its function."""
        found = next((word.value for word in call.keywords if word.arg == "kind"), None)
        value = found if found is not None else call.args[position] if len(call.args) > position else None
        if value is None:
            return set()
        if isinstance(value, ast.Constant):
            return set() if value.value is None else {str(value.value)}
        function = self.around(call)
        place = f"{self.path.relative_to(HUB)}:{function.name}"
        if place in READ_FROM_VALUES:
            return READ_FROM_VALUES[place]
        assert isinstance(value, ast.Name), f"{place} makes a kind that nobody can read: {ast.unparse(value)}"
        names = [one.arg for one in function.args.args]
        if value.id in names:
            inner = [self.kinds(other, names.index(value.id)) for other in self.calls(function.name)]
            return set().union(*inner)
        return {str(getattr(importlib.import_module(self.name), value.id))}


def raised_kinds() -> set[str]:
    """Every kind of exception that the hub can raise."""
    found: set[str] = set()
    for path in sorted(HUB.rglob("*.py")):
        if "testkit" in path.parts or "scaffold" in path.parts:
            continue
        source = Source(path)
        for call in source.calls("Trouble", "order.trouble", "NeedsPerson"):
            found |= source.kinds(call, 99 if ast.unparse(call.func) == "NeedsPerson" else 0)
    return found


def test_every_kind_that_can_be_raised_has_a_rule_of_its_own() -> None:
    rules = load_exception_rules(rule_text("exceptions", "default"))
    kinds = raised_kinds()
    assert {"parcel_stuck", "deficit", "cancelled_here", "stock_kind", "unauthorised", "period_locked"} <= kinds
    assert sorted(kind for kind in kinds if rules.of(kind) is rules.default) == []
