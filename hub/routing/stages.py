"""Which rules fire for an order, and what they make of the policy and the network."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from hub.routing.compiled import CompiledFence, CompiledRule, compiled, lifted
from hub.routing.conditions import Condition
from hub.routing.facts import NodeFacts, NodesView, OrderFacts
from hub.routing.model import NodeState, Policy
from hub.routing.native import Answer
from hub.routing.network import Prepared, prepare_plain
from hub.routing.settings import over
from hub.routing.terms.term import Term

REMEMBERED: Final = 4096
"""Answers that are kept before all are forgotten."""

Places = frozenset[int]
"""Nodes, by their places in the snapshot."""


class Look(NamedTuple):
    """What the order's own facts settle."""

    fired: tuple[int, ...]
    """Places of the rules that fire."""
    up: tuple[bool, ...]
    """Per fence of theirs: whether what its condition reads of the order alone holds."""
    withheld: tuple[int, ...]
    """Reservations that are kept from the order."""


class Fenced(NamedTuple):
    """What a fence does: nodes that are out in any case, and those where the rest of its condition decides."""

    fence: CompiledFence
    surely: Places
    perhaps: Places


class Stage(NamedTuple):
    """What is the same for every order that has the same look."""

    rules: tuple[str, ...]
    policy: Policy
    """With the rules' settings laid over it."""
    prepared: Prepared
    """The network under it, less what the chain does itself."""
    fences: tuple[Fenced, ...]
    for_classes: tuple[Fenced, ...]
    """Fences for lines of some classes."""
    fallbacks: int


class _Answers(NamedTuple):
    """By the conditions' places, None where facts of the very order decide; and the rules that are not out already."""

    answers: list[Answer | None]
    rules: list[tuple[int, CompiledRule]]


class Stages:
    """The rules of a policy over a network, with a memory."""

    def __init__(self, nodes: Sequence[NodeState], policy: Policy, terms: Sequence[Term]) -> None:
        self._nodes = nodes
        self._policy = policy
        self._terms = terms
        self._compiled = compiled(policy)
        self._fixed = NodeFacts(NodesView(nodes, policy))
        self._known: dict[tuple[object, ...], _Answers] = {}
        self._stages: dict[tuple[object, ...], Stage] = {}
        self._distances = prepare_plain(nodes, policy, ()).distances

    def look(self, order: OrderFacts) -> Look:
        """Which rules fire. Raises `ConditionFailed`."""
        made = self._compiled
        known, open_rules = self._answers(order)
        fired: list[int] = []
        up: list[bool] = []
        for place, rule in open_rules:
            if not self._holds(rule.when, known[rule.place], order):
                continue
            fired.append(place)
            if rule.fences:
                up += [self._holds(fence.condition, known[fence.place], order) for fence in rule.fences]
            if rule.rule.stop:
                break
        kept = made.reservations
        withheld = [n for n, one in enumerate(kept) if not self._holds(one.kept_for, known[one.place], order)]
        return Look(tuple(fired), tuple(up), tuple(withheld))

    def _answers(self, order: OrderFacts) -> "_Answers":
        """What depends only on facts that many orders share."""
        key = tuple([order[name] for name in self._compiled.shared_facts])
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            made = self._compiled
            answers = [condition.order_answer(order) if shared else None for condition, shared in made.conditions]
            rules = [(place, rule) for place, rule in enumerate(made.rules) if answers[rule.place] is not False]
            found = self._known[key] = _Answers(answers, rules)
        return found

    @staticmethod
    def _holds(condition: Condition, known: Answer | None, order: OrderFacts) -> bool:
        answer = condition.order_answer(order) if known is None else known
        if isinstance(answer, str):
            raise condition.failed(answer)
        return answer

    def stage(self, look: Look, attempt: int) -> Stage:
        """What the rules make of the policy at an attempt: 0, or the number of a fallback."""
        key = (look.fired, look.up, attempt)
        found = self._stages.get(key)
        if found is None:
            if len(self._stages) >= REMEMBERED:
                self._stages.clear()
            found = self._stages[key] = self._staged(look, attempt)
        return found

    def _staged(self, look: Look, attempt: int) -> Stage:
        rules = [self._compiled.rules[place] for place in look.fired]
        gone, tops = lifted([rule.rule for rule in rules], attempt)
        base = replace(self._policy, rules=(), blackouts=(), reservations=())
        policy = over(base, [*(rule.rule.set for rule in rules), *tops])
        plain = replace(policy, stay_in_market=False, keep_together=False, class_needs={})
        fenced = self._fences(rules, look.up, gone)
        prepared = prepare_plain(self._nodes, plain, self._terms)._replace(distances=self._distances)
        return Stage(
            rules=tuple(rule.rule.name for rule in rules),
            policy=policy,
            prepared=prepared,
            fences=tuple(one for one in fenced if not one.fence.classes),
            for_classes=tuple(one for one in fenced if one.fence.classes),
            fallbacks=sum(len(rule.rule.fallbacks) for rule in rules),
        )

    def _fences(self, rules: Sequence[CompiledRule], up: Sequence[bool], gone: frozenset[str]) -> list[Fenced]:
        fences = [fence for rule in rules for fence in rule.fences]
        cut = [
            Fenced(fence, *self._cut(fence, holds))
            for fence, holds in zip(fences, up, strict=True)
            if not fence.name or fence.name not in gone
        ]
        return [one for one in cut if one.surely or one.perhaps]

    def _cut(self, fence: CompiledFence, holds: bool) -> tuple[Places, Places]:
        everyone = frozenset(range(len(self._nodes)))
        nowhere: Places = frozenset()
        if not holds:
            return nowhere if fence.shuts else everyone, nowhere
        condition = fence.condition
        matching = condition.nodes_where(condition.of_node, {}, self._fixed, everyone)
        if condition.of_both:
            return nowhere if fence.shuts else everyone - matching, matching
        return matching if fence.shuts else everyone - matching, nowhere
