"""Rules that can never fire, that change nothing, or that contradict one another."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from hub.routing.compiled import compile_fence
from hub.routing.conditions import Compiler
from hub.routing.facts import NodeFacts, NodesView
from hub.routing.lint.constraints import Demands, demands_of
from hub.routing.lint.finding import Note, Severity
from hub.routing.model import NodeState, Policy
from hub.routing.rules import Fence, Rule

_TABLES: Final = ("terms", "weights")


def notes(policy: Policy, nodes: Sequence[NodeState] | None) -> Iterator[Note]:
    """What is wrong with the chain of a policy that loads."""
    rules = policy.rules
    whens = [demands_of(rule.when) for rule in rules]
    dead: set[int] = set()
    for place, rule in enumerate(rules):
        for note in _never(rules, whens, place):
            dead.add(place)
            yield note
        if place in dead:
            continue
        yield from _shadowed(rules, whens, place, dead)
        if not (rule.stop or rule.set or rule.fences or rule.fallbacks):
            yield Note("fall-through", ("rule", place), f"rule {rule.name!r} fires and changes nothing")
    alive = [place for place in range(len(rules)) if place not in dead]
    yield from _open_end(rules, whens)
    sound = []
    for place in alive:
        found = list(_fences(rules, whens, place, alive))
        yield from found
        sound += [] if found else [place]
    if nodes:
        yield from _nobody_left(policy, nodes, sound)


def _never(rules: Sequence[Rule], whens: Sequence[Demands], place: int) -> Iterator[Note]:
    rule = rules[place]
    if not whens[place].possible:
        yield Note("contradictory", ("rule", place, "when"), f"rule {rule.name!r} never fires: no order is all of this")
        return
    for other in range(place):
        if rules[other].stop and whens[other].possible and whens[place].implies(whens[other]):
            message = f"rule {rule.name!r} is never reached: rule {rules[other].name!r} fires first and stops"
            yield Note("unreachable", ("rule", place), message)
            return


def _shadowed(rules: Sequence[Rule], whens: Sequence[Demands], place: int, dead: set[int]) -> Iterator[Note]:
    """A rule of settings alone, each of which a later rule sets as well whenever this one fires."""
    rule = rules[place]
    if rule.fences or rule.fallbacks or rule.stop or not rule.set:
        return
    left = _keys(rule.set)
    for later in range(place + 1, len(rules)):
        if later in dead or not whens[later].possible:
            continue
        if whens[place].implies(whens[later]):
            left -= _keys(rules[later].set)
            if not left:
                message = f"what rule {rule.name!r} sets, rule {rules[later].name!r} sets again whenever it fires"
                yield Note("shadowed", ("rule", place), message)
                return
        if rules[later].stop:
            return


def _keys(change: Mapping[str, object]) -> set[tuple[str, str]]:
    found = set()
    for name, value in change.items():
        inner = list(value) if name in _TABLES and isinstance(value, Mapping) else [""]
        found |= {(name, key) for key in inner}
    return found


def _open_end(rules: Sequence[Rule], whens: Sequence[Demands]) -> Iterator[Note]:
    """Where every rule stops, the chain is a list of cases, and one for all others is missing."""
    always = demands_of("true")
    if len(rules) > 1 and all(rule.stop for rule in rules) and not any(always.implies(when) for when in whens):
        message = "every rule stops, and none is for all other orders: they fall through to the bare settings"
        yield Note("fall-through", ("rule", len(rules) - 1), message)


def _fences(rules: Sequence[Rule], whens: Sequence[Demands], place: int, alive: Sequence[int]) -> Iterator[Note]:
    """Fences of a rule against each other, and against those of rules that fire whenever it does."""
    own = rules[place].fences
    always = [other for other in alive if other != place and whens[place].implies(whens[other])]
    others = [fence for other in always for fence in rules[other].fences]
    lifted = {name for rule in rules for fallback in rule.fallbacks for name in fallback.lift}
    for number, fence in enumerate(own):
        if fence.classes or (fence.name and fence.name in lifted):
            continue
        path = ("rule", place, "fence", number)
        if not demands_of(_source(fence)).possible:
            what = "every node is out" if fence.keep is not None else "it shuts nobody out"
            yield Note("contradictory", path, f"no node is all of this: {what}")
            continue
        for other in (*own[:number], *others):
            if not other.classes and not (other.name and other.name in lifted) and _exclude(fence, other):
                yield Note("contradictory", path, f"no node satisfies this and {_words(other)!r} as well: all are out")
                break


def _source(fence: Fence) -> str:
    return (fence.keep if fence.keep is not None else fence.drop) or ""


def _words(fence: Fence) -> str:
    return f"{'keep' if fence.keep is not None else 'drop'} {_source(fence)}"


def _exclude(one: Fence, other: Fence) -> bool:
    first, second = demands_of(_source(one)), demands_of(_source(other))
    if one.keep is not None and other.keep is not None:
        return not first.and_(second).possible
    if one.keep is not None and other.keep is None:
        return second.possible and first.implies(second)
    if one.keep is None and other.keep is not None:
        return first.possible and second.implies(first)
    return False


def _nobody_left(policy: Policy, nodes: Sequence[NodeState], alive: Sequence[int]) -> Iterator[Note]:
    """Rules whose fences leave none of the nodes that there are, whatever is ordered."""
    facts = NodeFacts(NodesView(nodes, policy))
    compiler = Compiler()
    usable = frozenset(place for place, node in enumerate(nodes) if node.usable)
    for place in alive:
        rule, left = policy.rules[place], usable
        for number, fence in enumerate(rule.fences, start=1):
            if fence.classes or fence.name in {
                name for other in policy.rules for f in other.fallbacks for name in f.lift
            }:
                continue
            made = compile_fence(compiler, rule.name, number, fence)
            condition = made.condition
            if condition.of_order or (condition.of_both and made.shuts):
                continue
            matching = condition.nodes_where(condition.of_node, {}, facts, usable)
            left &= (usable - matching) if made.shuts else matching
        if usable and not left:
            message = f"the fences of rule {rule.name!r} leave none of the nodes that there are"
            yield Note("no-node", ("rule", place), message, Severity.WARNING)
