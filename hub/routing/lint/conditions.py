"""Conditions that compile and still cannot mean what they say: division by zero, comparisons that never hold."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from hub.domain.money import MINOR_UNITS
from hub.domain.network import NodeKind
from hub.domain.order import Method
from hub.routing.facts import Kind, kind_of
from hub.routing.lint.finding import Note, Severity
from hub.routing.model import NodeState, Policy
from hub.routing.native import fact_at, text_of, texts_of
from hub.routing.positions import Path
from hub.routing.tokens import Token, conjuncts, tokens_of

_MAY_BE_ZERO: Final = {("order", name) for name in ("value", "margin", "weight_g", "hours_left", "age_hours")} | {
    ("node", name)
    for name in ("distance_km", "load", "capacity_left", "transit_days", "lines_held", "priority", "handling_cost")
}
_SIZE: Final = ("<", "<=", ">", ">=")
_NUMBERS: Final = (Kind.NUMBER, Kind.NUMBER_OR_NULL)
_TEXTS: Final = (Kind.TEXT, Kind.TEXT_OR_NULL)


def conditions(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Every condition of a policy with its path."""
    for place, rule in enumerate(policy.rules):
        yield ("rule", place, "when"), rule.when
        for number, fence in enumerate(rule.fences):
            key = "keep" if fence.keep is not None else "drop"
            yield ("rule", place, "fence", number, key), fence.keep or fence.drop or ""
    for place, kept in enumerate(policy.reservations):
        yield ("reservation", place, "kept_for"), kept.kept_for


def notes(policy: Policy, nodes: Sequence[NodeState] | None) -> Iterator[Note]:
    """What is wrong with the conditions of a policy that loads."""
    known = _known_words(policy, nodes)
    for path, source in conditions(policy):
        tokens = tokens_of(source)
        for note in (*_divisions(tokens), *_presence(tokens)):
            yield note._replace(path=path, further=source.count("\n", 0, note.further))
        for part in conjuncts(tokens):
            for code, message in _comparison(part, known):
                yield Note(code, path, message, further=source.count("\n", 0, part[0].at))


def _known_words(policy: Policy, nodes: Sequence[NodeState] | None) -> Mapping[tuple[str, str], Collection[str]]:
    words: dict[tuple[str, str], Collection[str]] = {
        ("order", "method"): [method.value for method in Method],
        ("node", "kind"): [kind.value for kind in NodeKind],
        ("node", "groups"): list(policy.node_groups),
        ("node", "markets"): list(policy.markets),
        ("order", "markets"): list(policy.markets),
        ("order", "currency"): MINOR_UNITS,
    }
    if nodes is not None:
        words["node", "code"] = [node.code for node in nodes]
        words["node", "capabilities"] = {able for node in nodes for able in node.capabilities}
    return words


def _divisions(tokens: Sequence[Token]) -> Iterator[Note]:
    for place, token in enumerate(tokens[:-1]):
        if token.text not in ("/", "%"):
            continue
        below = tokens[place + 1]
        fact = fact_at(tokens[place + 1 : place + 4])
        if below.kind == "number" and below.text.isdigit() and int(below.text) == 0:
            yield Note("divide-by-zero", (), "divides by zero, for every order", Severity.ERROR, token.at)
        elif fact in _MAY_BE_ZERO and fact is not None and not _guarded(tokens, fact):
            name = ".".join(fact)
            message = f"divides by {name}, which may be 0; add `{name} > 0 &&`, or such orders will wait"
            yield Note("divide-by-zero", (), message, further=token.at)


def _guarded(tokens: Sequence[Token], fact: tuple[str, str]) -> bool:
    """Whether the fact is compared with something by itself, too."""
    return any(
        fact_at(tokens[n : n + 3]) == fact
        and tokens[n + 3].text in (">", ">=", "!=")
        and (n == 0 or tokens[n - 1].text not in ("/", "%", "*", "+", "-"))
        for n in range(len(tokens) - 4)
    )


def _presence(tokens: Sequence[Token]) -> Iterator[Note]:
    for place, token in enumerate(tokens):
        fact = fact_at(tokens[place + 2 : place + 5]) if token.text == "has" else None
        if fact is not None:
            name = ".".join(fact)
            message = f"has({name}) always holds: an unknown fact is null; write {name} != null"
            yield Note("always-holds", (), message, further=token.at)


def _comparison(tokens: Sequence[Token], known: Mapping[tuple[str, str], Collection[str]]) -> Iterator[tuple[str, str]]:
    listed = fact_at(tokens[2:]) if len(tokens) == 5 and tokens[1].text == "in" else None
    fact = listed or fact_at(tokens[:3])
    if fact is None or (listed is None and len(tokens) < 5):
        return
    name, kind = ".".join(fact), kind_of(*fact)
    sign = "in" if listed else tokens[3].text
    found = [text_of(tokens[0])] if listed else (texts_of(tokens[4:]) if sign == "in" else [text_of(tokens[4])])
    words = [word for word in found or () if word is not None]
    if sign == "!=":
        return
    if words and (kind in _NUMBERS or kind is Kind.FLAG):
        yield "never-holds", f"{name} is a {kind}; it is never the text {words[0]!r}"
        return
    if not words and kind in _TEXTS and tokens[4].kind == "number" and len(tokens) == 5:
        code = "fails" if sign in _SIZE else "never-holds"
        yield code, f"{name} is {kind}; it cannot be compared with the number {tokens[4].text}"
        return
    if kind is Kind.TEXTS and sign == "==":
        yield "never-holds", f'{name} is a list; write "..." in {name}'
    for word in words:
        if fact in known and word not in known[fact]:
            yield "unknown-word", f"{name} is never {word!r}; there are: {', '.join(sorted(known[fact])) or 'none'}"
        elif fact[1] == "country" and not (len(word) == 2 and word.isascii() and word.isupper()):
            yield "unknown-word", f"{name} is never {word!r}: countries are two capital letters (ISO 3166-1 alpha-2)"
