"""The facts that conditions read: `order.<fact>` and `node.<fact>`. What is unknown is null, or counts by the policy.

Distances and weights that nobody knows count as `unknown_distance_km` and `unknown_weight_g`, so that they can be
compared; `located` and `weight_known` say whether they are real. Everything else that is unknown is null: equal to no
text, and an error where it is compared by size.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from hub.routing.geography import place_of
from hub.routing.model import Group, NodeState, Policy


class Kind(StrEnum):
    """What a fact is."""

    TEXT = "text"
    TEXT_OR_NULL = "text or null"
    NUMBER = "whole number"
    NUMBER_OR_NULL = "whole number or null"
    FLAG = "true or false"
    TEXTS = "list of texts"


Value = str | int | bool | tuple[str, ...] | None


class OrderView(NamedTuple):
    """What order facts are read from."""

    group: Group
    at: datetime
    policy: Policy


class NodesView(NamedTuple):
    """What node facts are read from: all nodes of a decision at once, in the snapshot's order.

    `group` and `km` are there when a group is decided; fixed facts do without.
    """

    nodes: Sequence[NodeState]
    policy: Policy
    group: Group | None = None
    km: Sequence[int] = ()


class OrderFact(NamedTuple):
    """A fact of an order. Currency amounts are minor units of the order's own currency."""

    kind: Kind
    read: Callable[[OrderView], Value]
    varies: bool = False
    """Whether it is another one for nearly every order, so that answers to it are not worth keeping."""


class NodeFact(NamedTuple):
    """A fact of a node; `fixed` when it is the same for every order."""

    kind: Kind
    read: Callable[[NodesView], Sequence[Value]]
    fixed: bool = True


def markets_of(country: str | None, policy: Policy) -> tuple[str, ...]:
    """Names of the markets that a country is in."""
    return tuple(sorted(name for name, countries in policy.markets.items() if country in countries))


def same_market(one: str | None, other: str | None, policy: Policy) -> bool:
    """Whether two countries are one or share a market. An unknown country shares nothing."""
    if one is None or other is None:
        return False
    return one == other or any(one in countries and other in countries for countries in policy.markets.values())


def is_b2b(group: Group, policy: Policy) -> bool:
    """Whether a business bought."""
    return group.customer_group is not None and group.customer_group in policy.b2b_groups


def _country(group: Group) -> str | None:
    return group.place.country if group.place else None


def _weight(seen: OrderView) -> int:
    unknown = seen.policy.unknown_weight_g
    return sum((unknown if n.weight_g is None else n.weight_g) * n.quantity for n in seen.group.lines)


def _margin(seen: OrderView) -> int | None:
    margins = [line.margin for line in seen.group.lines]
    known = [margin for margin in margins if margin is not None]
    return sum(known) if len(known) == len(margins) else None


def _hours_left(seen: OrderView) -> int | None:
    wanted = seen.group.deliver_by
    return None if wanted is None else int((wanted - seen.at).total_seconds() // 3600)


ORDER_FACTS: Final[Mapping[str, OrderFact]] = {
    "channel": OrderFact(Kind.TEXT, lambda s: s.group.channel),
    "account": OrderFact(Kind.TEXT_OR_NULL, lambda s: s.group.account),
    "source": OrderFact(Kind.TEXT_OR_NULL, lambda s: s.group.source),
    "method": OrderFact(Kind.TEXT, lambda s: s.group.method.value),
    "service": OrderFact(Kind.TEXT_OR_NULL, lambda s: s.group.service),
    "customer_group": OrderFact(Kind.TEXT_OR_NULL, lambda s: s.group.customer_group),
    "b2b": OrderFact(Kind.FLAG, lambda s: is_b2b(s.group, s.policy)),
    "tags": OrderFact(Kind.TEXTS, lambda s: s.group.tags),
    "currency": OrderFact(Kind.TEXT, lambda s: s.group.currency),
    "value": OrderFact(Kind.NUMBER, lambda s: sum(line.value for line in s.group.lines), varies=True),
    "margin": OrderFact(Kind.NUMBER_OR_NULL, _margin, varies=True),
    "lines": OrderFact(Kind.NUMBER, lambda s: len(s.group.lines)),
    "units": OrderFact(Kind.NUMBER, lambda s: sum(line.quantity for line in s.group.lines), varies=True),
    "weight_g": OrderFact(Kind.NUMBER, _weight, varies=True),
    "weight_known": OrderFact(Kind.FLAG, lambda s: all(line.weight_g is not None for line in s.group.lines)),
    "classes": OrderFact(Kind.TEXTS, lambda s: tuple(sorted({c for line in s.group.lines for c in line.classes}))),
    "country": OrderFact(Kind.TEXT_OR_NULL, lambda s: _country(s.group)),
    "region": OrderFact(Kind.TEXT_OR_NULL, lambda s: s.group.place.region if s.group.place else None),
    "postal_code": OrderFact(
        Kind.TEXT_OR_NULL, lambda s: s.group.place.postal_code if s.group.place else None, varies=True
    ),
    "located": OrderFact(Kind.FLAG, lambda s: place_of(s.group.place, coarse=False) is not None),
    "markets": OrderFact(Kind.TEXTS, lambda s: markets_of(_country(s.group), s.policy)),
    "keep_together": OrderFact(Kind.FLAG, lambda s: s.group.keep_together),
    "promised": OrderFact(Kind.FLAG, lambda s: s.group.deliver_by is not None),
    "hours_left": OrderFact(Kind.NUMBER_OR_NULL, _hours_left, varies=True),
    "age_hours": OrderFact(Kind.NUMBER, lambda s: int((s.at - s.group.placed_at).total_seconds() // 3600), varies=True),
}
"""`hours_left` is until the group's `deliver_by`, `age_hours` since the order was placed."""


def groups_of(code: str, policy: Policy) -> tuple[str, ...]:
    """Names of the node groups that a node is in."""
    return tuple(sorted(name for name, codes in policy.node_groups.items() if code in codes))


def _lines_held(seen: NodesView) -> list[int]:
    wanted = [line.quantity for line in seen.group.lines] if seen.group else []
    return [sum(map(operator.ge, node.available, wanted)) for node in seen.nodes]


def _holds_all(seen: NodesView) -> list[bool]:
    count = len(seen.group.lines) if seen.group else 0
    return [held == count for held in _lines_held(seen)]


def _same_market(seen: NodesView) -> list[bool]:
    country = _country(seen.group) if seen.group else None
    known = {there: same_market(there, country, seen.policy) for there in {node.country for node in seen.nodes}}
    return [known[node.country] for node in seen.nodes]


def _same_country(seen: NodesView) -> list[bool]:
    country = _country(seen.group) if seen.group else None
    return [country is not None and node.country == country for node in seen.nodes]


def _each(read: Callable[[NodeState], Value]) -> Callable[[NodesView], Sequence[Value]]:
    return lambda seen: [read(node) for node in seen.nodes]


NODE_FACTS: Final[Mapping[str, NodeFact]] = {
    "code": NodeFact(Kind.TEXT, _each(lambda node: node.code)),
    "kind": NodeFact(Kind.TEXT, _each(lambda node: node.kind)),
    "groups": NodeFact(Kind.TEXTS, lambda s: [groups_of(node.code, s.policy) for node in s.nodes]),
    "country": NodeFact(Kind.TEXT_OR_NULL, _each(lambda node: node.country)),
    "markets": NodeFact(Kind.TEXTS, lambda s: [markets_of(node.country, s.policy) for node in s.nodes]),
    "capabilities": NodeFact(Kind.TEXTS, _each(lambda node: node.capabilities)),
    "timezone": NodeFact(Kind.TEXT, _each(lambda node: node.timezone)),
    "located": NodeFact(Kind.FLAG, _each(lambda node: node.latitude is not None and node.longitude is not None)),
    "priority": NodeFact(Kind.NUMBER, _each(lambda node: node.priority)),
    "handling_cost": NodeFact(Kind.NUMBER, _each(lambda node: node.handling_cost)),
    "distance_km": NodeFact(Kind.NUMBER, lambda s: s.km, fixed=False),
    "same_country": NodeFact(Kind.FLAG, _same_country, fixed=False),
    "same_market": NodeFact(Kind.FLAG, _same_market, fixed=False),
    "load": NodeFact(Kind.NUMBER, _each(lambda node: node.load), fixed=False),
    "capacity_left": NodeFact(Kind.NUMBER_OR_NULL, _each(lambda node: node.capacity_left), fixed=False),
    "transit_days": NodeFact(Kind.NUMBER_OR_NULL, _each(lambda node: node.transit_days), fixed=False),
    "lines_held": NodeFact(Kind.NUMBER, _lines_held, fixed=False),
    "holds_all": NodeFact(Kind.FLAG, _holds_all, fixed=False),
}
"""`load` is the percent of the node's day that is taken; `capacity_left` is null where the day has no limit."""


def kind_of(root: str, name: str) -> Kind | None:
    """What a fact is; None when there is no such fact."""
    if root == "order":
        return ORDER_FACTS[name].kind if name in ORDER_FACTS else None
    return NODE_FACTS[name].kind if root == "node" and name in NODE_FACTS else None


class OrderFacts(dict[str, Value]):
    """Facts of one order, each read when a condition first asks for it."""

    def __init__(self, seen: OrderView) -> None:
        super().__init__()
        self._seen = seen

    def __missing__(self, name: str) -> Value:
        value = self[name] = ORDER_FACTS[name].read(self._seen)
        return value


class NodeFacts(dict[str, Sequence[Value]]):
    """Facts of all nodes of a network, each fact a list in the snapshot's order."""

    def __init__(self, seen: NodesView) -> None:
        super().__init__()
        self._seen = seen

    def __missing__(self, name: str) -> Sequence[Value]:
        values = self[name] = NODE_FACTS[name].read(self._seen)
        return values

    @property
    def codes(self) -> list[str]:
        """Of the nodes."""
        return [node.code for node in self._seen.nodes]

    @property
    def count(self) -> int:
        """Of the nodes."""
        return len(self._seen.nodes)
