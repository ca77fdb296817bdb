"""What a policy may not say though its types allow it: one `Problem` each, with the path of the key that is wrong."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import msgspec

from hub.domain.money import MINOR_UNITS
from hub.routing.compiled import compile_fence
from hub.routing.conditions import Compiler, ConditionFault
from hub.routing.model import Policy
from hub.routing.positions import Path
from hub.routing.rules import Blackout, Fence, Reservation, Rule
from hub.routing.settings import FOR_ALL, over
from hub.routing.terms import TERMS
from hub.routing.terms.preference import WORDS


class Problem(NamedTuple):
    """Why a policy cannot be used."""

    code: str
    path: Path
    words: str
    further: int = 0
    """Lines below that of the path, within a text of several lines."""


def problems(policy: Policy) -> Iterator[Problem]:
    """Everything that keeps a policy from being used."""
    yield from _settings(policy, ())
    yield from _named(policy)
    compiler = Compiler()
    for place, rule in enumerate(policy.rules):
        yield from _rule(policy, rule, ("rule", place), compiler)
    for place, kept in enumerate(policy.reservations):
        yield from _condition(compiler, kept.kept_for, ("reservation", place, "kept_for"), nodes=False)
        if kept.units < 0 or not 0 <= kept.percent <= 100:
            yield Problem("bad-value", ("reservation", place), "units start at 0, percent goes from 0 to 100")
    for place, blackout in enumerate(policy.blackouts):
        if blackout.until <= blackout.start:
            yield Problem("bad-value", ("blackout", place, "until"), f"{blackout.until} is not after {blackout.start}")
    yield from _groups(policy)


def _settings(policy: Policy, path: Path, only: Mapping[str, object] | None = None) -> Iterator[Problem]:
    """What is wrong with the settings of a policy, or with those in `only`, which stand at `path`."""
    named = policy.__struct_fields__ if only is None else [key for key in only if key in policy.__struct_fields__]
    if not policy.version:
        yield Problem("bad-value", (*path, "version"), "a policy needs a version")
    if policy.currency not in MINOR_UNITS:
        yield Problem("bad-value", (*path, "currency"), f"{policy.currency!r} is not an ISO 4217 code")
    for key in named:
        value = getattr(policy, key)
        if key != "priority" and isinstance(value, int) and value < 0:
            yield Problem("negative", (*path, key), f"{value} is negative; costs, distances and limits start at 0")
    if policy.search_budget < 1:
        yield Problem("zero-limit", (*path, "search_budget"), "a search needs at least one step")
    for key in ("use_groups", "skip_groups"):
        for name in getattr(policy, key) if key in named else ():
            if name not in policy.node_groups:
                known = ", ".join(sorted(policy.node_groups)) or "none"
                yield Problem("unknown-group", (*path, key), f"{name!r} is not one of node_groups ({known})")
    grams, cost = 0, 0
    for step in policy.rate_steps if "rate_steps" in named else ():
        if step[0] <= grams or step[1] < cost:
            yield Problem(
                "bad-value", (*path, "rate_steps"), f"step {list(step)} does not rise above the one before it"
            )
        grams, cost = step
    if "prefer" in named:
        yield from _prefer(policy, (*path, "prefer"))
    yield from _terms(policy, path, only)


def _prefer(policy: Policy, path: Path) -> Iterator[Problem]:
    for word, count in Counter(policy.prefer).items():
        if word not in WORDS:
            yield Problem("unknown-word", path, f"no preference {word!r}{_near(word, list(WORDS))}")
        elif count > 1:
            yield Problem("bad-value", path, f"{word!r} stands there {count} times")


def _terms(policy: Policy, path: Path, only: Mapping[str, object] | None) -> Iterator[Problem]:
    known = {term.name: term for term in TERMS}
    tables = {key: {} if only is None else only.get(key, {}) for key in ("terms", "weights")}
    for name, values in policy.terms.items():
        if only is not None and name not in _keys(tables["terms"]):
            continue
        kind = known[name].settings if name in known else None
        if kind is None:
            with_settings = [term.name for term in TERMS if term.settings]
            yield Problem(
                "unknown-term",
                (*path, "terms", name),
                f"no cost term {name!r} with settings{_near(name, with_settings)}",
            )
            continue
        try:
            msgspec.convert(values, kind, strict=True)
        except msgspec.ValidationError as error:
            yield Problem("bad-term", (*path, "terms", name), str(error))
    for name, percent in policy.weights.items():
        if only is not None and name not in _keys(tables["weights"]):
            continue
        if name not in known:
            yield Problem("unknown-term", (*path, "weights", name), f"no cost term {name!r}{_near(name, list(known))}")
        elif percent < 0:
            yield Problem("negative", (*path, "weights", name), f"{percent} percent is negative")


def _keys(table: object) -> Sequence[str]:
    return list(table) if isinstance(table, Mapping) else ()


def _near(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known)}"


def _named(policy: Policy) -> Iterator[Problem]:
    named: dict[str, Sequence[Rule | Reservation | Blackout]] = {
        "rule": policy.rules,
        "reservation": policy.reservations,
        "blackout": policy.blackouts,
    }
    for key, parts in named.items():
        seen: set[str] = set()
        for place, part in enumerate(parts):
            name = part.name
            if not name.strip():
                yield Problem("bad-value", (key, place, "name"), "needs a name: explanations use it")
            elif name in seen:
                yield Problem("duplicate-name", (key, place, "name"), f"there is another {key} {name!r}")
            seen.add(name)


def _rule(policy: Policy, rule: Rule, path: Path, compiler: Compiler) -> Iterator[Problem]:
    yield from _condition(compiler, rule.when, (*path, "when"), nodes=False)
    yield from _change(policy, rule.set, (*path, "set"))
    names: set[str] = set()
    for place, fence in enumerate(rule.fences):
        at = (*path, "fence", place)
        if (fence.keep is None) == (fence.drop is None):
            yield Problem("bad-fence", at, "a fence has either `keep` or `drop`")
            continue
        if fence.name and fence.name in names:
            yield Problem("duplicate-name", (*at, "name"), f"the rule has another fence {fence.name!r}")
        names.add(fence.name)
        yield from _fence(compiler, rule, fence, at)
    everywhere = {fence.name for other in policy.rules for fence in other.fences if fence.name}
    for place, fallback in enumerate(rule.fallbacks):
        at = (*path, "fallback", place)
        for name in fallback.lift:
            if name not in everywhere:
                yield Problem("unknown-fence", (*at, "lift"), f"no fence is called {name!r}")
        yield from _change(policy, fallback.set, (*at, "set"))


def _fence(compiler: Compiler, rule: Rule, fence: Fence, at: Path) -> Iterator[Problem]:
    try:
        compile_fence(compiler, rule.name, 1, fence)
    except ConditionFault as fault:
        yield _fault(fault, (*at, "keep" if fence.keep is not None else "drop"))


def _condition(compiler: Compiler, source: str, path: Path, *, nodes: bool) -> Iterator[Problem]:
    try:
        compiler.compile("", source, nodes=nodes)
    except ConditionFault as fault:
        yield _fault(fault, path)


def _fault(fault: ConditionFault, path: Path) -> Problem:
    return Problem("bad-condition", path, f"column {fault.column}: {fault.problem}", fault.line - 1)


def _change(policy: Policy, change: Mapping[str, object], path: Path) -> Iterator[Problem]:
    """What is wrong with settings that a rule or fallback lays over the policy's."""
    known = [name for name in msgspec.structs.asdict(policy) if name not in FOR_ALL]
    known = [name for name in known if name not in ("rules", "blackouts", "reservations")]
    for key, value in change.items():
        if key in FOR_ALL:
            yield Problem("not-for-rules", (*path, key), f"{key} is said once, for the whole policy")
        elif key not in known:
            yield Problem("unknown-field", (*path, key), f"there is no setting {key!r}{_near(key, known)}")
        else:
            try:
                changed = over(policy, [{key: value}])
            except msgspec.ValidationError as error:
                yield Problem("wrong-type", (*path, key), str(error))
            else:
                yield from _settings(changed, path, {key: value})


def _groups(policy: Policy) -> Iterator[Problem]:
    named: dict[str, Sequence[Reservation | Blackout]] = {
        "blackout": policy.blackouts,
        "reservation": policy.reservations,
    }
    for key, parts in named.items():
        for place, part in enumerate(parts):
            for name in part.groups:
                if name not in policy.node_groups:
                    yield Problem("unknown-group", (key, place, "groups"), f"{name!r} is not one of node_groups")
