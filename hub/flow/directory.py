"""What is connected to what, as of one configuration epoch: built by the store, read by every step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from hub.domain.events import Subscription
from hub.domain.network import Account, Binding, Connection, Mode, Node, Purpose, StockPoint
from hub.flow.address_check import AddressCheck, AddressRules
from hub.flow.cartons import Packing
from hub.flow.change_window import ChangePolicy
from hub.flow.hold_rules import HoldPolicy
from hub.flow.pick_up_rules import PickUpPolicy
from hub.flow.return_rules import ReturnPolicy
from hub.promise.lanes import Lanes
from hub.promise.offer import Offer
from hub.promise.reach import UNTAUGHT
from hub.routing.model import NodeState, Policy
from hub.routing.prepare import Prepared
from hub.sdk.adapter import Adapter, Message

Reader = Callable[[str, bytes], Sequence[Message]]
"""Compiled reading of one connection: (topic, stored body) -> canonical messages, overlay and tables included.

Raises `hub.mapping.errors.Unmapped` or `Malformed`.
"""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A connection with its adapter."""

    connection: Connection
    adapter: Adapter
    read: Reader

    def live(self, capability: str) -> bool:
        """Whether a capability exists and acts."""
        return self.connection.enabled and self.wants(capability)

    def wants(self, capability: str) -> bool:
        """Whether a capability exists and is to act, at once or when the account is connected again."""
        mode = self.connection.modes.get(capability, self.adapter.unset_mode(capability))
        return capability in self._capabilities and mode is Mode.LIVE

    @cached_property
    def _capabilities(self) -> frozenset[str]:
        """Asked several times an order."""
        return frozenset(self.adapter.capabilities)


class Network(NamedTuple):
    """The nodes as one account may use them, still without stock, ready for its merchant's policy."""

    policy: Policy
    nodes: tuple[NodeState, ...]
    prepared: Prepared
    offer: Offer | None = None
    """What is promised, where there are rules for it."""
    lanes: Lanes = UNTAUGHT
    """How long past parcels took, where those rules ask."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """A consistent view of the configuration."""

    epoch: int
    links: Mapping[str, Link] = field(default_factory=dict)
    accounts: Mapping[int, Account] = field(default_factory=dict)
    nodes: Mapping[int, Node] = field(default_factory=dict)
    bindings: Mapping[tuple[int, str, str], Binding] = field(default_factory=dict)
    """By (node, merchant, role)."""
    stock_points: Sequence[StockPoint] = ()
    policies: Mapping[str, Policy] = field(default_factory=dict)
    """Active routing policy by merchant."""
    networks: dict[tuple[str, int], Network] = field(default_factory=dict, repr=False, compare=False)
    """What routing prepared of this configuration, by merchant and account: kept until the next."""
    offers: Mapping[str, Offer] = field(default_factory=dict)
    """Active promise rules by merchant."""
    lanes: Mapping[str, Lanes] = field(default_factory=dict)
    """How long past parcels took, by merchant; of those whose promise rules ask."""
    return_policies: Mapping[str, ReturnPolicy] = field(default_factory=dict)
    """Active returns policy by merchant."""
    pick_up_policies: Mapping[str, PickUpPolicy] = field(default_factory=dict)
    """Active rules of pick-up and store by merchant."""
    subscriptions: Mapping[str, Sequence[Subscription]] = field(default_factory=dict)
    """Who is told of what, by merchant."""

    hold_policies: Mapping[str, HoldPolicy] = field(default_factory=dict)
    """Active policy of holds by merchant."""
    change_policies: Mapping[str, ChangePolicy] = field(default_factory=dict)
    """Active change windows by merchant."""
    packings: Mapping[str, Packing] = field(default_factory=dict)
    """Active list of boxes by merchant."""
    address_check: AddressCheck = field(default_factory=AddressRules)
    restored_at: datetime | None = None
    """When the database was restored to an earlier moment, until that is over; see `restored.py`."""

    def hold_policy(self, merchant: str) -> HoldPolicy:
        """The active policy of holds of a merchant, or the shipped default."""
        known = self.hold_policies
        return known.get(merchant) or known.get("") or HoldPolicy(version="built-in")

    def change_policy(self, merchant: str) -> ChangePolicy:
        """The active change windows of a merchant, or the shipped default."""
        known = self.change_policies
        return known.get(merchant) or known.get("") or ChangePolicy(version="built-in")

    def packing(self, merchant: str) -> Packing:
        """The active list of boxes of a merchant, or the shipped default."""
        known = self.packings
        return known.get(merchant) or known.get("") or Packing(version="built-in")

    def return_policy(self, merchant: str) -> ReturnPolicy:
        """The active returns policy of a merchant, or the shipped default."""
        return self.return_policies[merchant] if merchant in self.return_policies else self.return_policies[""]

    def pick_up_policy(self, merchant: str) -> PickUpPolicy:
        """The active rules of pick-up and store of a merchant, or the shipped default."""
        known = self.pick_up_policies
        return known.get(merchant) or known.get("") or PickUpPolicy(version="built-in")

    def offer(self, merchant: str) -> Offer | None:
        """The active promise rules of a merchant, or the shipped default; None where there are none."""
        return self.offers.get(merchant) or self.offers.get("")

    def policy(self, merchant: str) -> Policy:
        """The active routing policy of a merchant, or the shipped default."""
        return self.policies[merchant] if merchant in self.policies else self.policies[""]

    def fulfiller(self, node: int, merchant: str) -> Link | None:
        """Whom to tell about work at a node; None when it is worked through the hub."""
        binding = self.bindings.get((node, merchant, "fulfil"))
        return self.links.get(self.successor(binding.connection)) if binding else None

    def carrier(self, node: int, merchant: str) -> Link | None:
        """Who sells postage to a node: the connection bound to it as carrier, else the merchant's first that can."""
        binding = self.bindings.get((node, merchant, "carrier"))
        bound = self.links.get(self.successor(binding.connection)) if binding else None
        if bound is not None:
            return bound if bound.live("buy_label") else None
        return next(iter(self.with_capability(merchant, "buy_label")), None)

    def speaker(self, account: int) -> Link | None:
        """The enabled connection of an account; a reinstalled app is a new connection to the same account."""
        return next((k for k in self.links.values() if k.connection.account == account and k.connection.enabled), None)

    def successor(self, connection: str) -> str:
        """The connection that speaks for the same account now; itself while it is enabled or has no successor."""
        link = self.links.get(connection)
        if link is None or link.connection.enabled:
            return connection
        now = self.speaker(link.connection.account)
        return connection if now is None else now.connection.id

    def location(self, node: int, merchant: str) -> str | None:
        """The fulfilling partner's own name of a node."""
        binding = self.bindings.get((node, merchant, "fulfil"))
        return binding.external_location if binding else None

    def node_at(self, connection: str, location: str) -> Node | None:
        """The node that a connection means by its own location name, or by the node's code."""
        for binding in self.bindings.values():
            if binding.external_location == location and self.successor(binding.connection) == connection:
                return self.nodes.get(binding.node)
        return next((node for node in self.nodes.values() if node.code == location), None)

    def node_of_point(self, account: int, location: str) -> int | None:
        """The single node behind an account's location; None when it is unknown or stands for several."""
        found = {
            node
            for point in self.stock_points
            if point.account == account and point.external_location == location
            for node in point.nodes
        }
        return found.pop() if len(found) == 1 else None

    def place(self, account: int, location: str | None) -> int | None:
        """The node that a customer collects at or a transfer is between: by the account's location, else by code."""
        if location is None:
            return None
        point = self.node_of_point(account, location)
        by_code = (node.id for node in self.nodes.values() if node.code == location)
        return point if point is not None else next(by_code, None)

    def point_of_node(self, account: int, node: int) -> str | None:
        """The account's own name of a node, where it knows it as a location of its own or as part of one."""
        points = [p for p in self.stock_points if p.account == account and node in p.nodes]
        points.sort(key=lambda p: (p.purpose is not Purpose.FULFIL, len(p.nodes), p.id))
        return points[0].external_location if points else None

    def serving(self, account: int) -> frozenset[int]:
        """Nodes that may serve an account: those of its selling and fulfilling stock points, or all if it has none."""
        wanted = (Purpose.SELL, Purpose.FULFIL, Purpose.PICK_UP)
        named = {n for p in self.stock_points if p.account == account and p.purpose in wanted for n in p.nodes}
        return frozenset(named or self.nodes)

    def with_capability(self, merchant: str, capability: str) -> list[Link]:
        """Live links of a merchant that can do something."""
        return [link for link in self.links.values() if link.connection.merchant == merchant and link.live(capability)]
