"""A policy's rules, fences and reservations with their conditions compiled, once for every copy of the policy."""

from collections.abc import Sequence
from typing import NamedTuple

from hub.routing.conditions import Compiler, Condition
from hub.routing.facts import ORDER_FACTS
from hub.routing.model import Policy
from hub.routing.rules import Fence, Reservation, Rule


class CompiledFence(NamedTuple):
    """A fence. A node is out when the condition's answer is `shuts`."""

    words: str
    """What an explanation says of it."""
    name: str
    classes: frozenset[str]
    condition: Condition
    shuts: bool
    place: int = 0
    """Of its condition, among all of the policy."""


class CompiledRule(NamedTuple):
    """A rule of the chain."""

    rule: Rule
    when: Condition
    fences: tuple[CompiledFence, ...]
    place: int
    """Of its condition, among all of the policy."""


class CompiledReservation(NamedTuple):
    """Units that are kept for the orders of a condition."""

    reservation: Reservation
    kept_for: Condition
    place: int
    """Of its condition, among all of the policy."""


class Compiled(NamedTuple):
    """All conditions of a policy."""

    rules: tuple[CompiledRule, ...]
    reservations: tuple[CompiledReservation, ...]
    conditions: tuple[tuple[Condition, bool], ...]
    """Each with whether the order's facts that it reads are such as many orders share."""
    shared_facts: tuple[str, ...]
    """The facts that those read."""


def reads_of_nodes(policy: Policy) -> frozenset[str]:
    """Facts of nodes that some condition of a policy reads."""
    known = policy.scratch.get("reads_of_nodes")
    if isinstance(known, frozenset):
        return known
    parts = [part for condition, _ in compiled(policy).conditions for part in (*condition.of_node, *condition.of_both)]
    made = policy.scratch["reads_of_nodes"] = frozenset(name for part in parts for name in part.node_facts)
    return made


def compiled(policy: Policy) -> Compiled:
    """The conditions of a policy. Raises `ConditionFault`; a policy that was loaded has none."""
    known = policy.scratch.get("compiled")
    if isinstance(known, Compiled):
        return known
    made = policy.scratch["compiled"] = _compile(policy)
    return made


def _compile(policy: Policy) -> Compiled:
    compiler = Compiler()
    conditions: list[Condition] = []
    rules = tuple(_rule(compiler, rule, conditions) for rule in policy.rules)
    reservations = []
    for one in policy.reservations:
        conditions.append(compiler.compile(f"reservation {one.name!r}", one.kept_for, nodes=False))
        reservations.append(CompiledReservation(one, conditions[-1], len(conditions) - 1))
    shared = [not any(ORDER_FACTS[name].varies for name in condition.order_facts) for condition in conditions]
    read = {
        name for condition, is_so in zip(conditions, shared, strict=True) if is_so for name in condition.order_facts
    }
    pairs = tuple(zip(conditions, shared, strict=True))
    return Compiled(rules, tuple(reservations), pairs, tuple(sorted(read)))


def _rule(compiler: Compiler, rule: Rule, conditions: list[Condition]) -> CompiledRule:
    conditions.append(compiler.compile(f"rule {rule.name!r}", rule.when, nodes=False))
    when, place = conditions[-1], len(conditions) - 1
    fences = []
    for number, fence in enumerate(rule.fences, start=1):
        made = compile_fence(compiler, rule.name, number, fence)
        conditions.append(made.condition)
        fences.append(made._replace(place=len(conditions) - 1))
    return CompiledRule(rule, when, tuple(fences), place)


def compile_fence(compiler: Compiler, rule: str, number: int, fence: Fence) -> CompiledFence:
    """Compile a fence. Raises `ConditionFault`."""
    source, shuts = (fence.drop, True) if fence.keep is None else (fence.keep, False)
    where = f"rule {rule!r}, fence {fence.name or number}"
    words = f"{where}: {'drop' if shuts else 'keep'} {source}"
    condition = compiler.compile(where, source or "", nodes=True)
    return CompiledFence(words, fence.name, frozenset(fence.classes), condition, shuts)


def lifted(rules: Sequence[Rule], attempt: int) -> tuple[frozenset[str], list[dict[str, object]]]:
    """Names of fences that hold no more at an attempt, and the settings that its fallbacks lay on top."""
    fallbacks = [fallback for rule in rules for fallback in rule.fallbacks][:attempt]
    return frozenset(name for one in fallbacks for name in one.lift), [one.set for one in fallbacks]
