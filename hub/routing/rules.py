"""The parts of a policy that are a list: rules with their fences and fallbacks, blackouts, reservations.

What they mean is in `docs/routing.md`; `chain.py` carries it out. Conditions are CEL over the facts of `facts.py`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

LocalTime = Annotated[datetime, msgspec.Meta(tz=False)]
"""A time without a zone: each node reads it in its own."""


class Remainder(StrEnum):
    """What happens to units that no node can serve."""

    QUEUE = "queue"
    """They wait, and are tried again when something that can help happens."""
    BACKORDER = "backorder"
    """They wait as backordered, which the customer may be told."""
    CANCEL = "cancel"
    """They wait `cancel_after_days` (none: not at all) and are cancelled then."""


class Fence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Keeps nodes out. Either `keep` (others are out) or `drop` (these are out)."""

    name: str = ""
    """What a fallback calls it."""
    keep: str | None = None
    drop: str | None = None
    classes: tuple[str, ...] = ()
    """Only for lines of these item classes; empty is for all lines."""


class Fallback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is tried next where something is left over. Adds to the fallbacks before it."""

    lift: tuple[str, ...] = ()
    """Names of fences that hold no more."""
    set: dict[str, object] = {}


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One rule of the chain. It fires when its condition holds; its settings go over those of the rules before it."""

    name: str
    when: str = "true"
    """CEL over `order`."""
    stop: bool = False
    """Whether the chain ends here when it fires."""
    set: dict[str, object] = {}
    """Settings of the policy, by their own names."""
    fences: tuple[Fence, ...] = msgspec.field(default=(), name="fence")
    fallbacks: tuple[Fallback, ...] = msgspec.field(default=(), name="fallback")


class Blackout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Nodes that take no work for a time, in their own time. Neither nodes nor groups: all nodes."""

    name: str
    start: LocalTime = msgspec.field(name="from")
    until: LocalTime
    nodes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class Reservation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Units of each item that nodes keep for some orders: the others do not see them."""

    name: str
    kept_for: str
    """CEL over `order`: for whom they are kept."""
    units: int = 0
    percent: int = 0
    """Of what is available, rounded up; the greater of the two is kept."""
    nodes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    """Only of items of these classes; empty is of all."""
