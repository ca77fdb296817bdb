"""What a simulation reports: both sides in figures, node by node, and order by order."""

from datetime import datetime
from enum import StrEnum

import msgspec

from hub.routing.record import Parity


class Mode(StrEnum):
    """What happens to the consequences of the other policy."""

    AS_RECORDED = "as_recorded"
    CARRIED = "carried"


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One plan, or many, in figures. Costs are thousandths of a minor unit of the ruler's currency."""

    parcels: int = 0
    units: int = 0
    """Placed."""
    cost: int = 0
    """By the prices of the policy that was live, unfilled lines included."""
    cost_by_draft: int = 0
    km: int = 0
    """Of all parcels; an unknown distance counts as the live policy says."""
    late: int = 0
    """Parcels that could not leave in time for what was promised."""

    def plus(self, other: "Measure") -> "Measure":
        """Both together."""
        return Measure(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a simulation."""

    measure: Measure
    unfilled: int
    """Units that no decision of the stretch placed, by the last one about each line."""
    parcels_per_order: float


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Work of one node on both sides."""

    node: str
    parcels_before: int
    parcels_after: int
    units_before: int
    units_after: int


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that would have been another."""

    order: str
    no: int
    group: str
    at: datetime
    before: dict[str, int]
    """Units by node."""
    after: dict[str, int]
    unfilled_before: int
    unfilled_after: int
    figures_before: Measure
    figures_after: Measure


class Odd(msgspec.Struct, frozen=True, kw_only=True):
    """A stored decision that could not be decided again as it was."""

    order: str
    no: int
    engine: str
    policy: str
    parity: Parity
    detail: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What another policy would have done to a stretch of history."""

    mode: Mode
    draft: str | None
    """Version of the policy that was tried; None when the live ones were replayed."""
    decisions: int
    orders: int
    changed: int
    not_needed: int
    """Decisions of history that the other policy would not have had to make, having sent the units elsewhere."""
    before: Totals
    after: Totals
    nodes: tuple[Load, ...]
    moved: tuple[Moved, ...]
    replayed: dict[Parity, int]
    """How history's own decisions come out when decided again under their own policies."""
    odd: tuple[Odd, ...]
    """Those that did not come out as they were stored."""
    failed: tuple[Odd, ...]
    """Those that the other policy could not decide; they are in no figure."""
