"""Conditions, compiled once and cut into the parts that read the order, the node, or both.

The parts of a condition are what `&&` joins. As in CEL one that does not hold settles the whole, even where another
cannot be worked out; so parts may be looked at in any order, those of the order once an order, those of a node's fixed
facts once a network.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from hub.cel import LONGEST_SOURCE, Engine, EvaluationFailed, Expression, ExpressionFault
from hub.routing.facts import NODE_FACTS, ORDER_FACTS, Kind, NodeFacts, Value, kind_of
from hub.routing.native import Answer, Test, answer, answers, fact_at, may_fail, native_test
from hub.routing.tokens import Reading, Token, conjuncts, readings, tokens_of

ROOTS: Final = ("order", "node")

REMEMBERED: Final = 4096
"""Answers that one part keeps before it starts anew."""


class ConditionFault(Exception):
    """A condition that cannot be used. `line` and `column` count from 1, within the condition."""

    def __init__(self, problem: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{line}:{column}: {problem}")
        self.problem = problem
        self.line = line
        self.column = column


class ConditionFailed(Exception):
    """A condition that has no answer for an order, or for an order and a node. The order waits until it is mended."""

    def __init__(self, where: str, source: str, reason: str, node: str | None = None) -> None:
        at = f" at node {node}" if node else ""
        super().__init__(f"{where}: {source!r} has no answer{at}: {reason}")
        self.where = where
        """Which part of the policy, such as "rule 'near stores', fence 1"."""
        self.source = source
        self.reason = reason
        self.node = node


class Part:
    """One part of a condition. What the engine answers it remembers by the facts that it reads."""

    def __init__(self, source: str, order: Sequence[str], node: Sequence[str], test: Test | None) -> None:
        self.source = source
        self.order_facts = tuple(order)
        self.node_facts = tuple(node)
        self.fixed = not order and all(NODE_FACTS[name].fixed for name in node)
        """Whether a node's answer never changes."""
        self.test = test
        self.may_fail = test is None or may_fail(test)
        self._engine: Engine | None = None
        self._expression: Expression | None = None
        self._known: dict[tuple[Value, ...], Answer] = {}

    def use(self, engine: Engine, expression: Expression) -> None:
        """Answer by the engine."""
        self._engine, self._expression = engine, expression

    def of_order(self, order: Mapping[str, Value]) -> Answer:
        """For a part that reads no node."""
        if self.test is not None:
            return answer(self.test, order)
        return self._asked(tuple([order[name] for name in self.order_facts]))

    def of_nodes(self, order: Mapping[str, Value], nodes: NodeFacts) -> list[Answer]:
        """For each node."""
        if self.test is not None:
            return answers(self.test, order, nodes)
        fixed = [order[name] for name in self.order_facts]
        columns = zip(*(nodes[name] for name in self.node_facts), strict=True)
        return [self._asked((*fixed, *values)) for values in columns]

    def _asked(self, key: tuple[Value, ...]) -> Answer:
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[key] = self._evaluated(key)
        return known

    def _evaluated(self, key: Sequence[Value]) -> Answer:
        assert self._engine is not None
        assert self._expression is not None
        plain = [list(value) if isinstance(value, tuple) else value for value in key]
        order = dict(zip(self.order_facts, plain, strict=False))
        node = dict(zip(self.node_facts, plain[len(self.order_facts) :], strict=True))
        try:
            value = self._expression.evaluate(self._engine.values({"order": order, "node": node}))
        except EvaluationFailed as failed:
            return str(failed) or "the engine gives no reason"
        return value if isinstance(value, bool) else f"gives {value!r}, which is neither true nor false"


class Condition(NamedTuple):
    """A compiled condition."""

    where: str
    source: str
    of_order: tuple[Part, ...]
    """Read the order alone, or nothing."""
    of_node: tuple[Part, ...]
    """Read fixed facts of the node alone."""
    of_both: tuple[Part, ...]
    """Read both, or what of the node changes."""

    @property
    def order_facts(self) -> frozenset[str]:
        """Facts of the order on which `order_answer` depends."""
        return frozenset(name for part in self.of_order for name in part.order_facts)

    def order_answer(self, order: Mapping[str, Value]) -> Answer:
        """Whether the parts that read the order alone hold."""
        failed = ""
        for part in self.of_order:
            found = part.of_order(order)
            if found is False:
                return False
            failed = failed or (found if isinstance(found, str) else "")
        return failed or True

    def nodes_where(
        self, parts: Sequence[Part], order: Mapping[str, Value], nodes: NodeFacts, places: frozenset[int]
    ) -> frozenset[int]:
        """Of `places`, those of the nodes at which all of `parts` hold. Raises `ConditionFailed`."""
        left = places
        failed: dict[int, Answer] = {}
        for part in parts:
            found = part.of_nodes(order, nodes)
            if part.may_fail:
                failed |= {place: found[place] for place in left if isinstance(found[place], str)}
            left = frozenset([place for place in left if found[place]])
        for place in sorted(failed):
            if place in left:
                raise self.failed(str(failed[place]), nodes.codes[place])
        return left

    def failed(self, reason: str, node: str | None = None) -> ConditionFailed:
        """The error that says so."""
        return ConditionFailed(self.where, self.source, reason, node)


class Compiler:
    """Compiles conditions. The engine is loaded by the first that needs it."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def compile(self, where: str, source: str, *, nodes: bool) -> Condition:
        """Compile; `nodes` says whether there is a node to read. Raises `ConditionFault`."""
        if len(source.encode()) > LONGEST_SOURCE:
            raise ConditionFault(f"is longer than {LONGEST_SOURCE} bytes")
        tokens = tokens_of(source)
        cut = conjuncts(tokens)
        tests = [native_test(part) for part in cut]
        if None in tests:
            self._expression(source)  # names places within the whole, which its parts could not
        for reading in readings(tokens, ROOTS):
            _check(source, reading, nodes)
        parts = [self._part(source, part, test) for part, test in zip(cut, tests, strict=True)]
        return Condition(
            where=where,
            source=source,
            of_order=tuple(part for part in parts if not part.node_facts),
            of_node=tuple(part for part in parts if part.node_facts and part.fixed),
            of_both=tuple(part for part in parts if part.node_facts and not part.fixed),
        )

    def _part(self, source: str, tokens: Sequence[Token], test: Test | None) -> Part:
        own = source[tokens[0].at : tokens[-1].at + len(tokens[-1].text)]
        read = list(readings(tokens, ROOTS))
        order = sorted({reading.name for reading in read if reading.root == "order"})
        node = sorted({reading.name for reading in read if reading.root == "node"})
        part = Part(own, order, node, test)
        if test is None:
            expression = self._expression(own)
            if expression.type not in ("BOOL", "DYN") or _gives_no_flag(tokens):
                raise ConditionFault(f"{own!r} is neither true nor false", *_place(source, tokens[0].at))
            assert self._engine is not None
            part.use(self._engine, expression)
        return part

    def _expression(self, source: str) -> Expression:
        if self._engine is None:
            self._engine = Engine(*ROOTS)
        try:
            return self._engine.compile(source)
        except ExpressionFault as fault:
            raise ConditionFault(fault.message, fault.line, fault.column) from None


def _gives_no_flag(tokens: Sequence[Token]) -> bool:
    """Whether it is a fact by itself, and one that is neither true nor false."""
    fact = fact_at(tokens)
    return fact is not None and kind_of(*fact) is not Kind.FLAG


def _check(source: str, reading: Reading, nodes: bool) -> None:
    place = _place(source, reading.at)
    if reading.root == "node" and not nodes:
        raise ConditionFault("there is no node to read here: use a fence", *place)
    known: Mapping[str, object] = ORDER_FACTS if reading.root == "order" else NODE_FACTS
    if not reading.name:
        raise ConditionFault(f"{reading.root} cannot be read as a whole; write {reading.root}.<fact>", *place)
    if reading.name not in known:
        near = get_close_matches(reading.name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known)}"
        raise ConditionFault(f"{reading.root} has no fact {reading.name!r}{hint}", *place)


def _place(source: str, at: int) -> tuple[int, int]:
    """(line, column), from 1."""
    return source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at)
