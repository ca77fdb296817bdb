"""Where goods are and who speaks for it: accounts, connections, nodes, bindings, stock points."""

from datetime import datetime, time
from enum import StrEnum

import msgspec

from hub.domain.contact import Contact
from hub.domain.payment import CapturedBy


class Mode(StrEnum):
    """How far a connection's capability acts."""

    OFF = "off"
    OBSERVE = "observe"
    LIVE = "live"


class NodeKind(StrEnum):
    """What sort of place it is."""

    DC = "dc"
    STORE = "store"
    THIRD_PARTY = "3pl"
    SUPPLIER = "supplier"


class Purpose(StrEnum):
    """What a stock point is used for."""

    SELL = "sell"
    FULFIL = "fulfil"
    PICK_UP = "pick_up"
    RETURN = "return"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The vendor's own shop, seller or site. Orders are identified by (account, external id)."""

    id: int
    merchant: str
    adapter: str
    name: str
    captured_by: CapturedBy = CapturedBy.CHANNEL


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """Replaceable credentials to an account. Secrets are not here: they are opened only to build a client."""

    id: str
    merchant: str
    account: int
    account_name: str
    adapter: str
    name: str
    modes: dict[str, Mode] = {}
    """Per capability; a capability that is not named is live."""
    live_from: datetime | None = None
    enabled: bool = True
    paused: bool = False

    def mode(self, capability: str) -> Mode:
        """The mode of a capability: live unless said otherwise, off while disabled."""
        return self.modes.get(capability, Mode.LIVE) if self.enabled else Mode.OFF


class OpeningHours(msgspec.Struct, frozen=True, kw_only=True):
    """A node's working week in its own local time."""

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    """0 is Monday."""
    cut_off: time = time(16, 0)
    """Orders that arrive later leave on the next working day."""
    holidays: tuple[str, ...] = ()
    """ISO dates."""
    processing_days: int = 0


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A place that can fulfil. Belongs to the install; merchants are bound to it."""

    id: int
    code: str
    name: str
    kind: NodeKind
    address: Contact | None = None
    latitude: float | None = None
    longitude: float | None = None
    timezone: str = "UTC"
    calendar: OpeningHours = OpeningHours()
    capacity_per_day: int | None = None
    """Fulfilment orders per local day; None is unlimited, 0 takes nothing."""
    capabilities: tuple[str, ...] = ("ship",)
    """ship, pick_up, hazmat, cold, age_restricted, ..."""
    handling_cost: int = 0
    """Thousandths of a minor unit per fulfilment order."""
    priority: int = 100
    enabled: bool = True


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """Who speaks for a node on behalf of a merchant."""

    node: int
    merchant: str
    role: str
    """fulfil, stock_master, carrier."""
    connection: str
    external_location: str | None = None
    """The partner's own name of the node."""


class StockPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A location as a channel or partner knows it, standing for one or more nodes."""

    id: int
    account: int
    external_location: str
    purpose: Purpose
    nodes: tuple[int, ...]
