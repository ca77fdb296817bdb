"""Baskets routed one after another over the network as it is, as history would have stored it. Nothing is reserved."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.domain.contact import Place
from hub.domain.order import Method
from hub.flow.aggregate import Order
from hub.flow.promise import Wanted, group_lines
from hub.flow.scene import Network, Scene
from hub.flow.stock_ports import ItemFacts
from hub.routing.decide import decide
from hub.routing.model import Decision, Group
from hub.routing.record import Recorded, encode, encode_input


class Rehearsed(NamedTuple):
    """An order to be: what it is called, when it comes, and what is wanted."""

    name: str
    at: datetime
    place: Place
    lines: Sequence[Wanted]


def rehearse(
    baskets: Iterable[Rehearsed], scene: Scene, merchant: str, channel: str, account: int = 0
) -> Iterator[Recorded]:
    """Decide under the active policy, each basket on what the ones before it left.

    Capacity is the one that is left now, for all of them. Account 0 is served by every node.
    """
    for basket in baskets:
        network = scene.network(_order(basket, merchant, channel, account))
        group = _group(basket, channel, scene.items, network)
        snapshot = scene.snapshot(network, group, basket.at)
        decision = decide(group, snapshot, network.policy, network.prepared)
        _take(scene, group, decision)
        yield Recorded(
            basket.name,
            1,
            group.group,
            basket.at,
            decision.policy,
            decision.engine,
            encode_input(group, snapshot, decision.policy),
            encode(decision),
        )


def _order(basket: Rehearsed, merchant: str, channel: str, account: int) -> Order:
    """As much of an order as the scene asks for."""
    return Order(
        id=basket.name,
        merchant=merchant,
        account=account,
        connection=channel,
        external_id=basket.name,
        number=basket.name,
        currency="",
        placed_at=basket.at,
        version=0,
        revision=0,
        acting=False,
    )


def _group(basket: Rehearsed, channel: str, items: Mapping[int, ItemFacts], network: Network) -> Group:
    return Group(
        order=basket.name,
        group="main",
        method=Method.SHIP,
        channel=channel,
        currency=network.policy.currency,
        placed_at=basket.at,
        lines=group_lines(basket.lines, items, network.policy.currency),
        place=basket.place,
    )


def _take(scene: Scene, group: Group, decision: Decision) -> None:
    items = {line.demand: line.item for line in group.lines}
    for a in decision.plan.assignments:
        scene.take(items[a.demand], a.node, a.quantity)
    for node in {a.node for a in decision.plan.assignments}:
        if node in scene.loads:
            scene.loads[node] += 1
