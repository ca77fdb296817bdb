"""What we intend: demands made from lines, and slices of their quantity, which carry the state."""

from datetime import datetime
from typing import Final

import msgspec

from hub.domain.order import ManagedBy
from hub.domain.states import SliceState


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one item that a line calls for. A kit's line makes one demand per component."""

    no: int
    line: str
    """External id of the line."""
    group: str
    sku: str | None
    item: int | None
    """Item id; None while the line is unresolved, which holds release."""
    quantity: int
    """In the item's base unit. Amended by revisions, never below what has left the shelf."""
    per_unit: int = 1
    """Base units per sold unit of the line (kit quantity, unit of measure)."""
    kit_version: int | None = None
    managed_by: ManagedBy = ManagedBy.HUB
    tracked: bool = True
    """False for items with unlimited or no stock: they take no reservation."""
    ships: bool = True


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a demand's quantity in one state. Slices of a demand always sum to it."""

    no: int
    demand: int
    quantity: int
    state: SliceState = SliceState.UNALLOCATED
    node: int | None = None
    fulfilment: int | None = None
    """Number of the fulfilment order within the order."""
    reason: str | None = None
    """Why it last went back: short, refused, displaced, recalled."""
    promised_at: datetime | None = None
    supply: int | None = None
    """The expected supply that it waits for, while it is backordered; a row of the supply table."""


FOUR_EYES: Final = "four_eyes"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stops named transitions, never reservation. Many at once; each is lifted on its own."""

    no: int
    scope: str
    """"order", "group:<key>" or "slice:<no>"."""
    kind: str
    owner: str
    reason: str
    lift_rule: str = "person"
    """What lifts it beside a person, joined by commas: revision (its question is answered), cause (its exception
    closed), change (its condition no longer holds), payment (the money is secured), timer, hold:<kind>. With four_eyes
    the person is another than who entered the order."""
    placed_at: datetime
    lifted_at: datetime | None = None
    stops: tuple[str, ...] = ("release",)
    """Transitions: release (to a node), post (to the books)."""
    lift_at: datetime | None = None
    """When its timer lifts it."""
    lift_role: str | None = None
    """The least role of a person who may lift it; None is anybody who may write."""
    lifted_by: str | None = None
    """Who or what lifted it."""
    policy: str = ""
    """Version of the policy whose rule placed it; empty for the hub's own questions and for people."""

    @property
    def four_eyes(self) -> bool:
        """Whether whoever entered the order may not lift it."""
        return FOUR_EYES in self.lift_rule.split(",")

    @property
    def active(self) -> bool:
        """Whether it still stops anything."""
        return self.lifted_at is None
