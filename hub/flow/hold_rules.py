"""What holds an order, who looks at it and what lifts it: policies of holds from TOML, judged without I/O or clock."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from functools import cached_property
from itertools import product
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from hub.cel import Engine, EvaluationFailed, Expression, ExpressionFault
from hub.domain.demand import FOUR_EYES
from hub.flow.hold import NEXT_STEPS, POSTING, RESTORED
from hub.flow.risk_facts import FACTS, Fact, Value
from hub.routing.tokens import readings, tokens_of

OWN_KINDS: Final = frozenset(
    {*NEXT_STEPS, POSTING, "manual", "unresolved", "exchange_due", "ship_complete", "claim", RESTORED}
)
"""Kinds that the hub itself or a person places."""

LIFTS: Final = re.compile(r"change|payment|timer|hold:[a-z][a-z0-9_]{0,62}")
DURATION: Final = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}

REMEMBERED: Final = 4096
"""Answers that one rule keeps before it starts anew."""

Answer = bool | str
"""Whether a condition holds, or why that cannot be said."""


class HoldPolicyError(ValueError):
    """A policy text that cannot be used; the text says which key and why."""


class ListRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom not to trust. People stand here as digests: SHA-256, in hexadecimal, of what `risk_facts` makes of them."""

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    postal_codes: frozenset[str] = frozenset()
    """With the country before it: "DE 10115"."""
    countries: frozenset[str] = frozenset()


class HoldRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """One rule. Its kind is its name: a policy has each kind once."""

    kind: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,62}$")]
    when: str
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    owner: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    scope: Literal["order", "group"] = "order"
    stops: tuple[Literal["release", "post"], ...] = ("release",)
    lift: tuple[str, ...] = ()
    after: str | None = None
    """How long its timer runs."""
    role: Literal["operator", "integrator", "admin"] | None = None
    four_eyes: bool = False
    """Whether whoever entered the order may not lift it."""
    late: Literal["ask", "recall", "let_go"] = "ask"
    """What becomes of units that a node was told of before it was placed: a person chooses, the node is asked to give
    them back, or they go. What was not sent yet is taken back, unless they go."""
    transfers: bool = False
    """Whether it is asked of transfers between own nodes too, which nobody pays for and no customer waits for."""

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """Names of the facts that the condition reads."""
        return tuple(dict.fromkeys(reading.name for reading in readings(tokens_of(self.when), ("order",))))

    @cached_property
    def counts(self) -> bool:
        """Whether it reads earlier orders."""
        return any(FACTS[name].source is Fact.HISTORY for name in self.facts)

    @cached_property
    def timer(self) -> timedelta | None:
        """`after` as a span of time."""
        found = DURATION.fullmatch(self.after or "")
        return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None

    @cached_property
    def lift_rule(self) -> str:
        """As a hold keeps it."""
        return ",".join(("person", *([FOUR_EYES] if self.four_eyes else []), *self.lift))

    @cached_property
    def _engine(self) -> Engine:
        return Engine("order")

    @cached_property
    def _expression(self) -> Expression:
        return self._engine.compile(self.when)

    @cached_property
    def _known(self) -> dict[tuple[Value, ...], Answer]:
        return {}

    def holds(self, facts: Mapping[str, Value]) -> Answer:
        """Whether the condition holds of these facts. Answers are remembered by the facts that are read."""
        key = tuple([facts[name] for name in self.facts])
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[key] = self._asked(key)
        return known

    def _asked(self, key: Sequence[Value]) -> Answer:
        plain = [list(value) if isinstance(value, tuple) else value for value in key]
        try:
            values = self._engine.values({"order": dict(zip(self.facts, plain, strict=True))})
            found = self._expression.evaluate(values)
        except EvaluationFailed as failed:
            return str(failed) or "the engine gives no reason"
        return found if isinstance(found, bool) else f"it gives {found!r}, which is neither true nor false"

    def check(self) -> None:
        """Raises `HoldPolicyError` for a condition that cannot be used."""
        for reading in readings(tokens_of(self.when), ("order",)):
            if reading.name not in FACTS:
                near = get_close_matches(reading.name, FACTS, 1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(FACTS)}"
                raise HoldPolicyError(
                    f"holds policy: {self.kind}.when: 1:{reading.at + 1}: order has no fact {reading.name!r}{hint}"
                )
        try:
            kind = self._expression.type
        except ExpressionFault as fault:
            raise HoldPolicyError(f"holds policy: {self.kind}.when: {fault}") from fault
        if kind not in ("BOOL", "DYN"):
            raise HoldPolicyError(f"holds policy: {self.kind}.when is neither true nor false")


class HoldPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A policy of holds. Immutable; a hold names the version that placed it."""

    version: str
    holds: tuple[HoldRule, ...] = ()
    lists: Mapping[str, ListRule] = {}
    home_countries: frozenset[str] = frozenset()
    recent_hours: int = 24
    authorisation_ahead_hours: int = 24

    @cached_property
    def reads(self) -> frozenset[str]:
        """Facts that any rule reads."""
        return frozenset(name for rule in self.holds for name in rule.facts)

    @cached_property
    def asked(self) -> "Mapping[tuple[str, bool, bool], tuple[tuple[HoldRule, ...], frozenset[str]]]":
        """Rules by (scope, whether earlier orders are counted, whether it is a transfer), with the facts they read."""
        found = {}
        for scope, counted, transfer in product(("order", "group"), (False, True), (False, True)):
            rules = tuple(
                rule
                for rule in self.holds
                if rule.scope == scope and (counted or not rule.counts) and (rule.transfers or not transfer)
            )
            found[scope, counted, transfer] = rules, frozenset(name for rule in rules for name in rule.facts)
        return found

    @cached_property
    def people(self) -> bool:
        """Whether a rule reads who and where."""
        return any(FACTS[name].source in (Fact.PEOPLE, Fact.HISTORY) for name in self.reads)

    @cached_property
    def history(self) -> bool:
        """Whether a rule counts earlier orders."""
        return any(rule.counts for rule in self.holds)

    @cached_property
    def watches(self) -> tuple[str, ...]:
        """Kinds of the rules that the clock alone can make true."""
        return tuple(rule.kind for rule in self.holds if any(FACTS[name].source is Fact.CLOCK for name in rule.facts))


def load_hold_policy(text: str, *, check: bool = True) -> HoldPolicy:
    """Read a policy. Raises `HoldPolicyError` for the first thing that is wrong.

    Without `check` conditions are compiled by the first order that needs them: for texts that were checked when they
    were kept, or that ship.
    """
    try:
        policy = msgspec.convert(tomllib.loads(text), HoldPolicy, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise HoldPolicyError(f"holds policy: {error}") from error
    for key, fine, told in (
        ("version", bool(policy.version), "a policy needs a version"),
        ("recent_hours", 1 <= policy.recent_hours <= 24 * 90, "is from 1 hour to 90 days"),
        ("authorisation_ahead_hours", 1 <= policy.authorisation_ahead_hours <= 24 * 30, "is from 1 hour to 30 days"),
    ):
        if not fine:
            raise HoldPolicyError(f"holds policy: {key} {told}")
    kinds = [rule.kind for rule in policy.holds]
    for rule in policy.holds:
        _check_terms(rule, kinds)
        if check:
            rule.check()
    for name, listed in policy.lists.items():
        for word in listed.emails | listed.phones:
            if not re.fullmatch("[0-9a-f]{64}", word):
                raise HoldPolicyError(
                    f"holds policy: lists.{name}: write people as their SHA-256, not as {word[:3]}..."
                )
    return policy


def _check_terms(rule: HoldRule, kinds: Sequence[str]) -> None:
    for fine, told in (
        (kinds.count(rule.kind) == 1, "there is another rule of this kind"),
        (rule.kind not in OWN_KINDS, "the hub itself places holds of this kind; take another word"),
        (bool(rule.stops), "stops names no transition"),
        (all(LIFTS.fullmatch(word) for word in rule.lift), "lift is change, payment, timer or hold:<kind>"),
        ((rule.after is None) == ("timer" not in rule.lift), "a timer needs `after`, and `after` a timer"),
        (rule.after is None or rule.timer is not None, 'after is a number with m, h or d, such as "30m"'),
        (f"hold:{rule.kind}" not in rule.lift, "a hold cannot wait for itself"),
        (rule.late == "ask" or "release" in rule.stops, "late is about released units, and it does not stop release"),
    ):
        if not fine:
            raise HoldPolicyError(f"holds policy: {rule.kind}: {told}")


class Finding(NamedTuple):
    """What a rule says of an order or one of its groups."""

    rule: HoldRule
    scope: str
    holds: bool
    reason: str


def judge(rules: Sequence[HoldRule], facts: Mapping[str, Value], scope: str) -> list[Finding]:
    """Ask each rule. One that has no answer holds: what cannot be judged is looked at by its owner."""
    found = []
    for rule in rules:
        answer = rule.holds(facts)
        reason = f"cannot be judged: {answer}" if isinstance(answer, str) else _reason(rule, facts) if answer else ""
        found.append(Finding(rule, scope, bool(answer), reason))
    return found


def _reason(rule: HoldRule, facts: Mapping[str, Value]) -> str:
    """With the facts that it was judged by: the same facts are the same reason."""
    told = [f"{name} {_word(facts[name])}" for name in rule.facts if FACTS[name].source is not Fact.CLOCK]
    return f"{rule.reason} ({'; '.join(told)})" if told else rule.reason


def _word(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "unknown" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
