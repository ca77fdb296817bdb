"""What the decisions of one batch see: items, stock, capacity, and the network of each account, prepared once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from hub.domain.network import Node
from hub.flow.aggregate import Order
from hub.flow.directory import Directory, Network
from hub.flow.stock_ports import ItemFacts
from hub.flow.transit import under_way
from hub.promise.reach import UNTAUGHT
from hub.routing.model import Group, NodeState, Snapshot
from hub.routing.prepare import prepare

__all__ = ["UNLIMITED", "Network", "Scene", "node_state"]

UNLIMITED: Final = 1_000_000_000
"""Units of an item that the hub does not count: as many as anybody will ever want."""


class Scene:
    """The state of one batch, changed by each decision for the next one."""

    def __init__(
        self,
        directory: Directory,
        items: Mapping[int, ItemFacts],
        free: dict[int, dict[int, int]],
        loads: dict[int, int],
    ) -> None:
        self.items = items
        self.loads = loads
        """Fulfilment orders by node on its own local day, where they are limited."""
        self._free = free
        self._directory = directory

    def network(self, order: Order) -> Network:
        """The network of the order's account. Nodes come in the directory's order."""
        key = (order.merchant, order.account)
        known = self._directory.networks
        if key not in known:
            serving = self._directory.serving(order.account)
            nodes = tuple(node_state(node, node.id in serving) for node in self._directory.nodes.values())
            policy = self._directory.policy(order.merchant)
            offer = self._directory.offer(order.merchant)
            lanes = self._directory.lanes.get(order.merchant, UNTAUGHT)
            known[key] = Network(policy, nodes, prepare(nodes, policy), offer, lanes)
        return known[key]

    def snapshot(self, network: Network, group: Group, at: datetime) -> Snapshot:
        """The network with what it holds of the group's items now."""
        columns = []
        for line in group.lines:
            shelf = self._free.get(line.item, {})
            least = 0 if self.items[line.item].stock_mode == "tracked" else UNLIMITED
            columns.append([max(shelf.get(node.id, 0), least) for node in network.nodes])
        filled = [
            replace(node, available=available)
            for node, available in zip(network.nodes, zip(*columns, strict=True), strict=True)
        ]
        for position, node in enumerate(self._directory.nodes.values()):
            if node.capacity_per_day is not None:
                left = max(0, node.capacity_per_day - self.loads.get(node.id, 0))
                filled[position] = replace(filled[position], capacity_left=left)
        return Snapshot(at=at, nodes=tuple(under_way(filled, network, group, at)))

    def take(self, item: int, node: int, units: int) -> None:
        """Units that a decision has reserved are not there for the next one."""
        shelf = self._free.setdefault(item, {})
        shelf[node] = shelf.get(node, 0) - units


def node_state(node: Node, serves: bool) -> NodeState:
    """What routing knows of a node before anything is ordered."""
    return NodeState(
        id=node.id,
        code=node.code,
        kind=node.kind.value,
        available=(),
        country=node.address.country if node.address else None,
        latitude=node.latitude,
        longitude=node.longitude,
        timezone=node.timezone,
        calendar=node.calendar,
        capabilities=node.capabilities,
        handling_cost=node.handling_cost,
        priority=node.priority,
        enabled=node.enabled,
        serves=serves,
        capacity=node.capacity_per_day,
    )
