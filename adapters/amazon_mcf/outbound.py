"""The port behind which both versions of the outbound API stand, and the order that both come to."""

from datetime import datetime
from typing import Protocol

import msgspec

from adapters.amazon_mcf.settings import Settings
from hub.sdk.capabilities import FulfilmentRequest
from hub.sdk.wire import Request, Response


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order: `id` is ours."""

    id: str
    sku: str
    quantity: int
    cancelled: int = 0
    unfulfillable: int = 0


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line in a shipment; in which package, where Amazon says."""

    line: str
    quantity: int
    package: str | None = None


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A box. `status` and `delivered_at` are told by 2026-07-04 only."""

    id: str
    carrier: str | None = None
    tracking: str | None = None
    url: str | None = None
    status: str | None = None
    delivered_at: datetime | None = None


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """What leaves one fulfilment centre together. `at` is an estimate until it has left."""

    id: str
    status: str
    facility: str
    at: datetime | None
    items: tuple[Item, ...]
    packages: tuple[Package, ...] = ()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order of either version; words of status are Amazon's."""

    id: str
    status: str
    received_at: datetime
    changed_at: datetime
    lines: tuple[Line, ...]
    shipments: tuple[Shipment, ...] = ()


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An order of a list: whole, or only its head where the version lists no shipments."""

    id: str
    body: bytes | None = None
    changed_at: datetime | None = None
    """Of a head: when its status changed last."""
    under_way: bool = False
    """Of a head: parts of it may leave while its status stays as it is."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what changed."""

    orders: tuple[Listed, ...]
    token: str | None = None


class Outbound(Protocol):
    """One version: builds its requests and reads its answers. Pure.

    The readers raise msgspec.MsgspecError for a body that is not of the version's shape, and ValueError for a quantity
    that is no whole number of pieces.
    """

    topic: str
    """Under which its orders are stored."""
    lists_shipments: bool
    """Whether what leaves is a change to the list. Otherwise only the order's own status is, and of an order that
    leaves in parts all but the last would be told late: orders under way are read again now and then."""

    def create(self, wanted: FulfilmentRequest, settings: Settings) -> Request:
        """Make an order. Raises `Interrupted` for a service without a speed."""
        ...

    def get(self, order: str) -> Request:
        """Read one."""
        ...

    def cancel(self, order: str) -> Request:
        """Stop one."""
        ...

    def list(self, since: datetime, token: str | None) -> Request:
        """What changed since; the page of a token."""
        ...

    def created(self, response: Response) -> Order | None:
        """The order as the answer to `create` tells it; None when it was only taken on."""
        ...

    def order(self, body: bytes) -> Order:
        """The order in the answer to `get`, which is what is stored."""
        ...

    def changes(self, body: bytes) -> Changes:
        """A page of the answer to `list`."""
        ...
