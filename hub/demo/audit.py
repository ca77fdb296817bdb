"""The audit: what the vendors' own books and the database say happened, never what a sender counted.

`lost`: orders in a channel's book that the hub does not have. `duplicated`: anything that any book holds twice under
one key of ours. `oversold`: units that left or were promised beyond what there was, and every figure that
`stock verify` finds to differ from what it is made of.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hub.demo.baskets import World
from hub.demo.cast import Cast
from hub.demo.places import SITES
from hub.demo.rest import ORDERS
from hub.demo.staff import Staff
from hub.domain.fulfilment import split_fulfilment_id
from hub.sdk.testkit.player import BookedOrder, ChannelPlayer, Player
from hub.store.database import Database, PooledConnection
from hub.store.verify import verify_stock

GONE: Final = (
    "SELECT s.order_id, i.sku, sum(s.quantity)::bigint FROM slice s JOIN demand d ON d.order_id = s.order_id "
    "AND d.no = s.demand_no JOIN item i ON i.id = d.item_id "
    "WHERE s.state IN ('shipped', 'delivered', 'collected') GROUP BY 1, 2"
)
SHIPMENTS: Final = "SELECT order_id, count(*) FROM shipment GROUP BY 1"
# What a parked order holds is left out: a message about it stands aside, so its goods may have left already.
NEGATIVE: Final = f"""
WITH aside AS (
  SELECT d.item_id, s.node_id, sum(s.quantity) AS units FROM slice s
  JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no JOIN ({ORDERS}) AS f ON f.id = s.order_id
  WHERE f.fate = 'parked' AND s.state IN ('reserved', 'released', 'accepted', 'picked', 'packed') GROUP BY 1, 2
)
SELECT coalesce(sum(greatest(0, k.pinned - coalesce(a.units, 0) - greatest(k.sellable, 0))), 0)::bigint
FROM stock k LEFT JOIN aside a USING (item_id, node_id)
"""
TWICE: Final = (
    "SELECT coalesce(sum(n - 1), 0)::bigint FROM (SELECT count(*) AS n FROM customer_order "
    "GROUP BY account_id, external_id) AS c WHERE n > 1"
)
DECISIONS: Final = (
    "SELECT count(*) FILTER (WHERE proven) AS proven, count(*) FILTER (WHERE NOT proven) AS gap_reported, "
    "coalesce(max(gap), 0) AS max_gap FROM decision"
)
EXCEPTIONS: Final = "SELECT kind, count(*) FROM exception WHERE closed_at IS NULL GROUP BY 1 ORDER BY 1"

Units = Mapping[str, Counter[str]]
"""By order, then SKU."""


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """How the routing decided."""

    proven: int
    """Decisions that are proven to be the best."""
    gap_reported: int
    """Others, each with a proven bound of what it may be worse by."""
    max_gap: int
    """The worst bound, in thousandths of a minor unit of the policy's currency."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to. Orders are counted first, then faults."""

    orders: int
    delivered: int
    cancelled: int
    waiting: int
    parked: int
    shipped: int
    posted: int
    written_back: int
    lost: int
    duplicated: int
    oversold: int
    violations: int
    """Requests of ours that broke a vendor's own limits."""
    undelivered: int
    """Webhooks that a vendor gave up."""
    decisions: Decisions
    exceptions: int
    exceptions_by_kind: Mapping[str, int]
    broken: tuple[str, ...]
    """Invariants that do not hold, in words; empty when all do."""
    seed: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class _Known:
    """An order of the hub beside its channel's book."""

    id: str
    fate: str
    left_whole: bool
    currency: str
    shipments: int
    book: BookedOrder | None


@dataclass(frozen=True, kw_only=True)
class Auditor:
    """Reads the books of a run."""

    database: Database
    cast: Cast
    world: World
    staff: Staff
    connections: Mapping[Player, str]
    seed: int

    async def report(self, seconds: float) -> Report:
        """Count everything."""
        async with self.database.connection() as connection:
            known, lost, foreign = await self._orders(connection)
            gone = _units([tuple(row) for row in await connection.fetch(GONE)])
            negative: int = await connection.fetchval(NEGATIVE)
            twice: int = await connection.fetchval(TWICE)
            drifts = await verify_stock(connection)
            decisions = Decisions(**dict(await connection.fetchrow(DECISIONS) or {}))
            exceptions = {row[0]: row[1] for row in await connection.fetch(EXCEPTIONS)}
        oversold = {
            "left a node beyond what it had": self._beyond(),
            "asked of a store beyond its shelf": self.staff.missing,
            "promised beyond what is there": negative,
            "figures that differ from what they are made of": len(drifts),
        }
        sent = self._sent()
        fates = Counter(order.fate for order in known)
        found: dict[str, Any] = {
            "orders": len(known) + lost,
            **{name: fates[name] for name in ("delivered", "cancelled", "waiting", "parked")},
            "lost": lost,
            "duplicated": foreign + twice + self._duplicates(known),
            "oversold": sum(oversold.values()),
            "shipped": sum(_shipped(order, gone, sent) for order in known),
            "posted": sum(self._posted(order) for order in known),
            "written_back": sum(_written_back(order, sent) for order in known),
        }
        simulators = [player.simulator for player in self.cast.players]
        return Report(
            **found,
            violations=sum(len(simulator.violations) for simulator in simulators),
            undelivered=sum(len(simulator.undelivered) for simulator in simulators),
            decisions=decisions,
            exceptions=sum(exceptions.values()),
            exceptions_by_kind=exceptions,
            broken=(
                *(f"oversold: {units} {what}" for what, units in oversold.items() if units),
                *self._broken(known, found, gone, sent),
            ),
            seed=self.seed,
            seconds=round(seconds, 1),
        )

    async def _orders(self, connection: PooledConnection) -> tuple[list[_Known], int, int]:
        """Orders of the hub, how many of the channels' it has not, and how many it has that no channel has."""
        books: dict[int, Mapping[str, BookedOrder]] = {}
        currencies: dict[int, str] = {}
        accounts = {row[0]: row[1] for row in await connection.fetch("SELECT id, account_id FROM connection")}
        for player, link in self.connections.items():
            if isinstance(player, ChannelPlayer):
                books[accounts[link]], currencies[accounts[link]] = player.orders(), player.part.currency
        shipments = {row[0]: row[1] for row in await connection.fetch(SHIPMENTS)}
        rows = await connection.fetch(ORDERS)
        known = [
            _Known(
                id=row["id"],
                fate=row["fate"],
                left_whole=row["left_whole"],
                currency=currencies[row["account_id"]],
                shipments=shipments.get(row["id"], 0),
                book=books[row["account_id"]].get(row["external_id"]),
            )
            for row in rows
        ]
        here = {(row["account_id"], row["external_id"]) for row in rows}
        there = {(account, order) for account, book in books.items() for order in book}
        return known, len(there - here), len(here - there)

    def _sent(self) -> Units:
        """Units that left, by the nodes' own books."""
        every = [*self.staff.dispatched, *(one for node in self.cast.nodes.values() for one in node.dispatched())]
        return _units([(split_fulfilment_id(one.fulfilment)[0], one.sku, one.quantity) for one in every])

    def _beyond(self) -> int:
        """Units that left a node beyond what it ever had."""
        left: Counter[tuple[str, str]] = Counter()
        for one in self.staff.dispatched:
            left[one.location, one.sku] += one.quantity
        spoken = {site.code: self.cast.location(site.code) for site in SITES}
        codes = {place: code for code, place in spoken.items() if place is not None}
        for player in self.cast.nodes.values():
            for one in player.dispatched():
                left[codes[player, one.location], one.sku] += one.quantity
        return sum(max(0, units - self.world.stock[code].get(sku, 0)) for (code, sku), units in left.items())

    def _duplicates(self, known: list[_Known]) -> int:
        """What the partners have more than once."""
        taken = sum(count - 1 for node in self.cast.nodes.values() for count in node.taken().values() if count > 1)
        labels = sum(count - 1 for count in self.cast.carrier.labels().values() if count > 1)
        told = sum(len(o.book.trackings) - len(set(o.book.trackings)) for o in known if o.book is not None)
        documents = 0
        for order in known:
            booked = self.cast.ledger.booked(order.id, order.currency)
            documents += max(0, booked.orders - 1)
            documents += max(0, booked.deliveries - order.shipments)
            documents += max(0, booked.invoices + booked.drafts - order.shipments)
        return taken + labels + told + documents

    def _posted(self, order: _Known) -> bool:
        """Whether the books hold the order's document and an invoice per shipment, at the channel's own total."""
        booked = self.cast.ledger.booked(order.id, order.currency)
        book = order.book
        if book is None or not order.left_whole or (booked.orders, booked.drafts) != (1, 0):
            return False
        if (booked.invoices, booked.deliveries) != (order.shipments, order.shipments):
            return False
        # What was cancelled after it had left is invoiced as it left: its channel has no total for it any more.
        if book.cancelled:
            return True
        # Of an edited line, the hub and the channel each round their own share of the tax.
        if book.edited:
            return abs(booked.invoiced - book.total) <= len(book.wanted)
        return booked.ordered == booked.invoiced == book.total

    def _broken(self, known: list[_Known], found: Mapping[str, int], gone: Units, sent: Units) -> list[str]:
        broken = [f"{name} is {found[name]}" for name in ("lost", "duplicated") if found[name]]
        states = found["delivered"] + found["cancelled"] + found["waiting"] + found["parked"]
        if states != found["orders"]:
            broken.append(f"{found['orders'] - states} orders are neither delivered, cancelled, waiting nor parked")
        for what, holds in (
            ("left no node's books whole", lambda order: _shipped(order, gone, sent)),
            ("are not in the ledger with their total", self._posted),
            ("are not written back to their channel", lambda order: _written_back(order, sent)),
        ):
            wrong = [order.id for order in known if order.fate == "delivered" and not holds(order)]
            if wrong:
                broken.append(f"{len(wrong)} delivered orders {what}: {', '.join(wrong[:5])}")
        return broken


def _units(rows: list[tuple[str, str, int]]) -> Units:
    units: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for order, sku, quantity in rows:
        units[order][sku] += quantity
    return units


def _shipped(order: _Known, gone: Units, sent: Units) -> bool:
    """Whether all of it left: the nodes' books, the hub's and what the channel still wants agree."""
    if order.book is None or not order.left_whole:
        return False
    left = sent.get(order.id, Counter())
    return left == gone.get(order.id, Counter()) and all(left[s] >= n for s, n in order.book.wanted.items())


def _written_back(order: _Known, sent: Units) -> bool:
    """Whether the channel knows of everything that left. A cancelled order takes no fulfilment any more."""
    if order.book is None or not order.left_whole:
        return False
    return order.book.cancelled or +Counter(order.book.fulfilled) == +Counter(sent.get(order.id, Counter()))
