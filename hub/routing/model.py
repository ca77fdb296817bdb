"""Values that routing takes and returns. Costs are integers in thousandths of a minor unit of the policy's currency."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.contact import Place
from hub.domain.network import OpeningHours
from hub.domain.order import Method

ENGINE_VERSION: Final = "1"
"""Raised by every change that could make another decision or other bytes from the same input."""


class GroupLine(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A quantity of one item to place. `demand` is its number within the order."""

    demand: int
    item: int
    quantity: int
    weight_g: int | None = None
    value: int = 0
    """Minor units of the order's currency for the whole quantity."""
    classes: tuple[str, ...] = ()
    together: str | None = None
    """Lines with the same mark go from one node in one parcel."""
    refused_by: tuple[int, ...] = ()
    """Nodes that refused or were short of this demand and are excluded for now."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What one decision is about: lines that go one way to one place."""

    order: str
    group: str
    method: Method
    channel: str
    currency: str
    placed_at: datetime
    lines: tuple[GroupLine, ...]
    place: Place | None = None
    service: str | None = None
    customer_group: str | None = None
    tags: tuple[str, ...] = ()
    pickup_node: int | None = None
    keep_together: bool = False
    deliver_by: datetime | None = None
    no_earlier_than: datetime | None = None


class NodeState(msgspec.Struct, frozen=True, kw_only=True):
    """A node as it was when the decision was made. `available` runs parallel to the group's lines."""

    id: int
    code: str
    kind: str
    available: tuple[int, ...]
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    timezone: str = "UTC"
    calendar: OpeningHours = OpeningHours()
    capacity_left: int | None = None
    """Fulfilment orders that still fit into the node's local day; None is unlimited."""
    capabilities: tuple[str, ...] = ("ship",)
    handling_cost: int = 0
    priority: int = 100
    enabled: bool = True


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The network as seen at `at`."""

    at: datetime
    nodes: tuple[NodeState, ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A routing policy, decoded from `rules/routing/*.toml`. Immutable; decisions name its version."""

    version: str = "default"
    currency: str = "USD"
    parcel_cost: int = 5_000_00
    """Per parcel, before distance and weight."""
    per_km: int = 100
    per_kg: int = 40_000
    unknown_distance_km: int = 20_000
    """A node or place without coordinates counts as this far: unknown is never near."""
    late_cost: int = 3_000_00
    max_splits: int | None = None
    allow_partial: bool = True
    """Whether what cannot be placed may wait while the rest goes."""
    split_line: bool = True
    """Whether a line that no node holds whole may be spread over nodes."""
    unfilled_cost: int = 50_000_00
    """Per line left over; keeps the search from leaving a line that a node could serve."""
    node_groups: dict[str, tuple[str, ...]] = {}
    stay_in_country: bool = False


class Reason(StrEnum):
    """Why a node is or is not in the plan. One per node."""

    CHOSEN = "chosen"
    COSTLIER = "costlier"
    NO_STOCK = "no_stock"
    PARTIAL_STOCK = "partial_stock"
    DISABLED = "disabled"
    NOT_CAPABLE = "not_capable"
    NO_CAPACITY = "no_capacity"
    REFUSED_BEFORE = "refused_before"
    OUTSIDE_FENCE = "outside_fence"
    NOT_THE_PICKUP_NODE = "not_the_pickup_node"


class Assignment(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`quantity` of a demand goes from `node`."""

    demand: int
    node: int
    quantity: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A way to serve the group, and what it costs."""

    assignments: tuple[Assignment, ...]
    unfilled: tuple[tuple[int, int], ...]
    """(demand, quantity) that no node serves now."""
    cost: int


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, stored in the transaction that acts on it. Same input and versions, same bytes."""

    plan: Plan
    runner_up: Plan | None
    reasons: tuple[tuple[int, Reason], ...]
    bound: int
    """Proven lower bound of the cost of any plan; equals `plan.cost` when proven optimal."""
    proven: bool
    policy: str
    engine: str = ENGINE_VERSION

    @property
    def gap(self) -> int:
        """How much cheaper another plan could at most be; 0 when proven optimal."""
        return max(0, self.plan.cost - self.bound)
