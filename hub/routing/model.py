"""Values that routing takes and returns. Costs are integers in thousandths of a minor unit of the policy's currency."""

from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

import msgspec

from hub.domain.contact import Place
from hub.domain.network import OpeningHours
from hub.domain.order import Method
from hub.routing.rules import Blackout, Remainder, Reservation, Rule

ENGINE_VERSION: Final = "2"
"""Raised by every change that could make another decision or other bytes from the same input."""


class GroupLine(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A quantity of one item to place. `demand` is its number within the order."""

    demand: int
    item: int
    quantity: int
    weight_g: int | None = None
    """Grams of one unit; None counts as the policy's `unknown_weight_g`."""
    value: int = 0
    """Minor units of the order's currency for the whole quantity."""
    classes: tuple[str, ...] = ()
    together: str | None = None
    """Lines with the same mark go from one node in one parcel."""
    refused_by: tuple[int, ...] = ()
    """Nodes that refused or were short of this demand and are excluded for now."""
    volume_cm3: int | None = None
    """Cubic centimetres of one unit; None is unknown."""
    margin: int | None = None
    """Minor units of the order's currency that the whole quantity earns; None is unknown."""
    needs: tuple[str, ...] | None = None
    """Capabilities that a node must have; None asks for one of the name of each class. Set by a policy's chain."""
    barred: tuple[int, ...] = ()
    """Nodes that a fence for its classes keeps out. Set by a policy's chain."""


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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
    source: str | None = None
    """Where within the channel: web, pos, a marketplace's name."""
    account: str | None = None
    """The vendor's own name of the shop or site."""


class NodeState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node as it was when the decision was made.

    `available` runs parallel to the group's lines. Lines of one item share that item's stock: where they are given
    different numbers, the smallest counts for all of them together.
    """

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
    """Lower goes first where plans cost the same."""
    enabled: bool = True
    serves: bool = True
    """Whether the channel's account sells or sends from here; inputs older than this word have it within `enabled`."""
    transit_days: int | None = None
    """Days on the way from here to the group's place; None counts as the policy's `unknown_transit_days`."""
    arrives_by: datetime | None = None
    """When a parcel that leaves at the next cut-off has arrived, as the carrier's calendar says. None counts
    `transit_days` from that cut-off."""
    capacity: int | None = None
    """Fulfilment orders that fit into a whole local day; None is unlimited."""
    fenced_by: str | None = None
    """What of the policy keeps it out of this decision, in words. Set by a policy's chain."""

    @property
    def usable(self) -> bool:
        """Whether it is switched on and serves the channel, whatever is ordered."""
        return self.enabled and self.serves

    @property
    def load(self) -> int:
        """Percent of its day that is taken; 0 where the day has no limit, 100 where it has no room at all."""
        if self.capacity is None or self.capacity_left is None:
            return 0
        if self.capacity < 1:
            return 100
        return max(0, self.capacity - self.capacity_left) * 100 // self.capacity


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The network as seen at `at`."""

    at: datetime
    nodes: tuple[NodeState, ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A routing policy, decoded from `rules/routing/*.toml`. Immutable; decisions name its version.

    Costs are thousandths of a minor unit of `currency` and never negative. Filling goes first, cost second: a plan that
    places fewer units is never chosen for being cheaper.
    """

    version: str = "default"
    currency: str = "USD"
    parcel_cost: int = 5_000_00
    """Per parcel, before distance and weight."""
    per_km: int = 100
    per_kg: int = 40_000
    unknown_distance_km: int = 20_000
    """A node or place without coordinates counts as this far: unknown is never near."""
    late_cost: int = 3_000_00
    """Per parcel that leaves too late to arrive by the time the group asks for."""
    max_splits: int | None = None
    """Parcels of a group beyond the first; None is unlimited."""
    allow_partial: bool = True
    """Whether what cannot be placed may wait while the rest goes."""
    split_line: bool = True
    """Whether a line that no node holds whole may be spread over nodes."""
    unfilled_cost: int = 50_000_00
    """Per line of which something is left over. Among plans that place as many units, fewer such lines are better."""
    node_groups: dict[str, tuple[str, ...]] = {}
    """Node codes by name of the group."""
    stay_in_country: bool = False
    """Whether goods stay in the country of the place. An unknown country is not the same country."""
    use_groups: tuple[str, ...] = ()
    """When given, only nodes of these node groups serve."""
    skip_groups: tuple[str, ...] = ()
    """Nodes of these node groups never serve."""
    max_distance_km: int | None = None
    """Nodes farther away never serve; an unknown distance counts as `unknown_distance_km`."""
    rate_steps: tuple[tuple[int, int], ...] = ()
    """Carrier rates by weight, rising: (up to grams, cost). What is heavier pays the last step several times."""
    unknown_weight_g: int = 1_000
    """A unit of unknown weight counts as this heavy: unknown is never light."""
    unknown_transit_days: int = 0
    """0 judges only whether the goods leave in time."""
    search_budget: int = 2_000_000
    """Steps that a search may take before it stops with its best plan and a proven gap. Counted, never timed."""
    coarse_distance: bool = True
    """Whether a place without coordinates is put into the middle of its country or postal region, and counted as far
    as the farthest part of that may be. Off, its distance is unknown."""
    keep_together: bool = False
    """Whether every group goes whole, in one parcel, or not at all."""
    min_part_value: int = 0
    """Minor units of the order's currency. Where a group is parted, every parcel, and what is left over, is worth at
    least as much."""
    min_part_margin: int = 0
    """The same for what a part earns. A line whose margin is unknown earns nothing."""
    prefer: tuple[str, ...] = ()
    """Instead of costs: what matters first, second, and so on. See `terms/preference.py` for the words."""
    weights: dict[str, int] = {}
    """Percent at which a cost term counts, by its name; 100 where not named."""
    terms: dict[str, dict[str, object]] = {}
    """Settings of cost terms, by their names; see `terms/`."""
    priority: int = 100
    """Lower is served first where orders of one batch want the same stock or capacity."""
    ignore_capacity: bool = False
    """Whether a node's full day is no fence: for rush orders."""
    markets: dict[str, tuple[str, ...]] = {}
    """Countries by name of the market."""
    stay_in_market: bool = False
    """Whether goods stay in a market of the place. A country in no market is a market of its own."""
    class_needs: dict[str, tuple[str, ...]] = {}
    """Capabilities that an item class asks for, where it is not the one of its own name."""
    b2b_groups: tuple[str, ...] = ("b2b", "wholesale")
    """Customer groups whose orders are B2B."""
    remainder: Remainder = Remainder.QUEUE
    cancel_after_days: int | None = None
    """What is still left over so many days after the order was placed is cancelled, where `remainder` says so."""
    blackouts: tuple[Blackout, ...] = msgspec.field(default=(), name="blackout")
    reservations: tuple[Reservation, ...] = msgspec.field(default=(), name="reservation")
    rules: tuple[Rule, ...] = msgspec.field(default=(), name="rule")

    @cached_property
    def scratch(self) -> dict[str, object]:
        """What has been worked out from it and is worth keeping: compiled conditions, read settings. No part of it."""
        return {}

    @property
    def plain(self) -> bool:
        """Whether it decides by itself, without a chain that looks at the order first."""
        return not (
            self.rules
            or self.blackouts
            or self.reservations
            or self.stay_in_market
            or self.keep_together
            or self.class_needs
        )


class Reason(StrEnum):
    """Why a node is or is not in the plan. One per node."""

    CHOSEN = "chosen"
    COSTLIER = "costlier"
    NO_STOCK = "no_stock"
    PARTIAL_STOCK = "partial_stock"
    DISABLED = "disabled"
    NOT_SERVED = "not_served"
    """It is switched on, and the channel's account does not sell or send from it."""
    NOT_CAPABLE = "not_capable"
    NO_CAPACITY = "no_capacity"
    REFUSED_BEFORE = "refused_before"
    OUTSIDE_FENCE = "outside_fence"
    NOT_THE_PICKUP_NODE = "not_the_pickup_node"
    SPLIT_LIMIT = "split_limit"
    """It could send what the plan leaves over, but not within the limit of splits."""


class RunnerUp(StrEnum):
    """What is known about the runner-up."""

    EXACT = "exact"
    """No plan on another set of nodes is better than it, except the plan itself."""
    BEST_FOUND = "best_found"
    """The best that the search met; a better one may exist."""
    NONE_EXISTS = "none_exists"
    """No other set of nodes fills as much."""
    NOT_FOUND = "not_found"
    """The search met none; one may exist."""


class Solver(StrEnum):
    """What found the plan. See `docs/decisions/0006-exact-routing.md`."""

    SUBSETS = "subsets"
    COUNTING = "counting"
    LOCATING = "locating"
    BRANCHING = "branching"
    NOTHING = "nothing"
    """Nothing could be placed, or only a part where the whole is asked for."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`quantity` of a demand goes from `node`."""

    demand: int
    node: int
    quantity: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A way to serve the group, and what it costs. What a node sends is one parcel."""

    assignments: tuple[Assignment, ...]
    """By demand, then in the nodes' order of priority and code."""
    unfilled: tuple[tuple[int, int], ...]
    """(demand, quantity) that no node serves now."""
    cost: int
    """All terms of all parcels, and `unfilled_cost` for every line of which something is left over."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, stored in the transaction that acts on it. Same input and versions, same bytes."""

    plan: Plan
    runner_up: Plan | None
    reasons: tuple[tuple[int, Reason], ...]
    """One per node, in the nodes' order of priority and code."""
    bound: int
    """Proven lower bound of the cost of any plan that places as many units; equals `plan.cost` when proven optimal."""
    proven: bool
    """Whether no plan places more units, and none that places as many costs less."""
    policy: str
    engine: str = ENGINE_VERSION
    runner_up_is: RunnerUp = RunnerUp.NONE_EXISTS
    solver: Solver = Solver.NOTHING
    prices: tuple[tuple[int, int], ...] = ()
    """(demand, price): certificate of a bound, from the search that goes by prices. What lines bid for being sent: per
    unit for one that is spread, else for the whole of what goes together, under its first demand. No parcel's fixed
    cost is overbid, so no plan that places as much costs less than the sum; see `certificate.py`."""
    rules: tuple[str, ...] = ()
    """Rules of the policy that fired, in their order."""
    attempt: int = 0
    """Which of their fallbacks decided; 0 is none."""
    remainder: Remainder = Remainder.QUEUE
    cancel_after_days: int | None = None
    """What the policy says of units left over: for whoever carries the decision out."""

    @property
    def gap(self) -> int:
        """How much cheaper another plan could at most be; 0 when proven optimal."""
        return max(0, self.plan.cost - self.bound)
