"""The audit finds what is wrong: one sound order, then the same with one thing broken in one book."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from hub.demo.audit import Auditor, Report
from hub.demo.baskets import World
from hub.demo.cast import CALM, Cast
from hub.demo.staff import Staff
from hub.domain.contact import Contact
from hub.domain.network import NodeKind
from hub.sdk.testkit.player import (
    Booked,
    BookedOrder,
    CarrierPlayer,
    ChannelPlayer,
    Dispatch,
    Good,
    LedgerPlayer,
    NodePlayer,
    Part,
)
from hub.sdk.testkit.simulator import Simulator
from hub.store.database import Database

FULFILMENT = "O1-1"
SOLD = BookedOrder(
    total=5000, cancelled=False, edited=False, wanted={"MUG": 2}, fulfilled={"MUG": 2}, trackings=("T1",)
)
BOOKED = Booked(orders=1, ordered=5000, deliveries=1, invoices=1, drafts=0, invoiced=5000)


class Plays:
    """What every player of this test has."""

    def __init__(self, name: str) -> None:
        self.part = Part(name=name, secret="x", faults=CALM, currency="USD")
        self._simulator = Simulator()

    @property
    def simulator(self) -> Simulator:
        return self._simulator

    def config(self) -> dict[str, Any]:
        return {}


class Shop(Plays, ChannelPlayer):
    service = "Standard"
    location = "1"
    book: dict[str, BookedOrder]

    def sell(self, goods: Iterable[Good]) -> None: ...
    def place(self, lines: Sequence[tuple[str, int]], ship_to: Contact, prices: Mapping[str, Decimal]) -> str: ...
    def reduce(self, order: str, sku: str, quantity: int) -> None: ...
    def cancel(self, order: str) -> None: ...

    def orders(self) -> Mapping[str, BookedOrder]:
        return self.book

    def published(self) -> Mapping[str, int]:
        return {}


class Partner(Plays, NodePlayer):
    locations = ("a", "b", "c")
    left: list[Dispatch]
    has: dict[str, int]

    def shelve(self, location: str, levels: Mapping[str, int]) -> None: ...
    def shelf(self, location: str) -> Mapping[str, int]: ...

    def taken(self) -> Mapping[str, int]:
        return self.has

    def dispatched(self) -> Sequence[Dispatch]:
        return self.left


class Post(Plays, CarrierPlayer):
    service = "Ground"
    bought: dict[str, int]

    def labels(self) -> Mapping[str, int]:
        return self.bought

    def delivered(self) -> frozenset[str]: ...


class Books(Plays, LedgerPlayer):
    booked_orders: dict[str, Booked]

    def know(self, goods: Iterable[Good]) -> None: ...

    def booked(self, order: str, currency: str) -> Booked:
        return self.booked_orders[order]


@dataclass
class Stage:
    """A sound run of one order, to be broken."""

    database: Database
    shop: Shop = field(default_factory=lambda: Shop("shop"))
    partner: Partner = field(default_factory=lambda: Partner("dc"))
    other: Partner = field(default_factory=lambda: Partner("3pl"))
    post: Post = field(default_factory=lambda: Post("post"))
    books: Books = field(default_factory=lambda: Books("books"))
    staff_missing: int = 0
    sql: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop.book = {"77": SOLD}
        self.partner.left = [Dispatch(fulfilment=FULFILMENT, location="a", sku="MUG", quantity=2)]
        self.partner.has, self.other.has, self.other.left = {FULFILMENT: 1}, {}, []
        self.post.bought = {}
        self.books.booked_orders = {"O1": BOOKED}

    async def audit(self) -> Report:
        async with self.database.connection() as connection:
            for statement in (*FURNITURE, *self.sql):
                await connection.execute(statement)
        cast = Cast(
            channels={"us": self.shop},
            nodes={NodeKind.DC: self.partner, NodeKind.THIRD_PARTY: self.other},
            carrier=self.post,
            ledger=self.books,
            adapters=dict.fromkeys((self.shop, self.partner, self.other, self.post, self.books), "acme"),
            stack=AsyncExitStack(),
        )
        world = World(goods=(), stock={"DC-RENO": {"MUG": 2}}, baskets=(), synthetic="all")
        staff = Staff(api=None, database=self.database, shelves={}, seed=1, missing=self.staff_missing)  # type: ignore[arg-type]
        auditor = Auditor(
            database=self.database, cast=cast, world=world, staff=staff, connections={self.shop: "c1"}, seed=1
        )
        return await auditor.report(1.0)


FURNITURE = (
    "INSERT INTO account (id, merchant, adapter, name) VALUES (1, 'default', 'acme', 'shop')",
    "INSERT INTO connection (id, merchant, account_id, adapter, name) VALUES ('c1', 'default', 1, 'acme', 'shop')",
    "INSERT INTO item (id, merchant, sku) VALUES (1, 'default', 'MUG')",
    "INSERT INTO node (id, code, name, kind) VALUES (1, 'DC-RENO', 'Reno', 'dc')",
    "INSERT INTO stock (item_id, node_id) VALUES (1, 1)",
    "INSERT INTO customer_order (id, merchant, account_id, connection_id, external_id, number, state, currency, "
    "placed_at, version, revision, acting, created_at) "
    "VALUES ('O1', 'default', 1, 'c1', '77', '#1', 'closed', 'USD', now(), 1, 1, true, now())",
    "INSERT INTO demand (order_id, no, line, group_key, sku, item_id, quantity, managed_by, tracked, ships) "
    "VALUES ('O1', 1, '1', 'main', 'MUG', 1, 2, 'hub', true, true)",
    "INSERT INTO slice (order_id, no, demand_no, quantity, state, node_id, fulfilment_no) "
    "VALUES ('O1', 1, 1, 2, 'delivered', 1, 1)",
    "INSERT INTO shipment VALUES ('O1', 1, 1, '1:S1', now(), '{}')",
    "INSERT INTO decision VALUES ('O1', 1, 'main', now(), 'p1', 'e1', 100, 0, true, '', ''), "
    "('O1', 2, 'main', now(), 'p1', 'e1', 100, 7, false, '', '')",
)


async def test_a_sound_run_has_nothing_broken(database: Database) -> None:
    report = await Stage(database).audit()
    assert report.broken == ()
    assert (report.orders, report.delivered, report.shipped, report.posted, report.written_back) == (1, 1, 1, 1, 1)
    assert (report.lost, report.duplicated, report.oversold) == (0, 0, 0)
    assert (report.decisions.proven, report.decisions.gap_reported, report.decisions.max_gap) == (1, 1, 7)


def _never_captured(stage: Stage) -> None:
    stage.shop.book["78"] = SOLD


def _not_of_any_channel(stage: Stage) -> None:
    stage.shop.book = {}


def _submitted_twice(stage: Stage) -> None:
    stage.partner.has[FULFILMENT] = 2


def _two_labels(stage: Stage) -> None:
    stage.post.bought["O1-1-label-1"] = 3


def _told_twice(stage: Stage) -> None:
    stage.shop.book["77"] = replace(SOLD, trackings=("T1", "T1"))


def _second_invoice(stage: Stage) -> None:
    stage.books.booked_orders["O1"] = replace(BOOKED, invoices=2, invoiced=10000)


def _draft_beside(stage: Stage) -> None:
    stage.books.booked_orders["O1"] = replace(BOOKED, drafts=1)


def _left_beyond(stage: Stage) -> None:
    stage.partner.left.append(Dispatch(fulfilment="O9-1", location="a", sku="MUG", quantity=3))


def _nothing_on_the_shelf(stage: Stage) -> None:
    stage.staff_missing = 4


def _promised_beyond(stage: Stage) -> None:
    stage.sql.append("UPDATE stock SET sellable = 1, pinned = 6")
    stage.sql.append(
        "INSERT INTO stock_ledger (merchant, node_id, item_id, delta, reason, source, cause, true_at, learned_at) "
        "VALUES ('default', 1, 1, 1, 'count', 'x', 'x', now(), now())"
    )
    stage.sql.append("UPDATE slice SET quantity = 2")


def _balance_without_ledger(stage: Stage) -> None:
    stage.sql.append("UPDATE stock SET sellable = 9")


@pytest.mark.parametrize(
    ("breaks", "figure", "value"),
    [
        (_never_captured, "lost", 1),
        (_not_of_any_channel, "duplicated", 1),
        (_submitted_twice, "duplicated", 1),
        (_two_labels, "duplicated", 2),
        (_told_twice, "duplicated", 1),
        (_second_invoice, "duplicated", 1),
        (_draft_beside, "duplicated", 1),
        (_left_beyond, "oversold", 3),
        (_nothing_on_the_shelf, "oversold", 4),
        # Five units beyond, and the pinned figure itself is not what the slices say.
        (_promised_beyond, "oversold", 6),
        (_balance_without_ledger, "oversold", 1),
    ],
)
async def test_a_fault_in_one_book_is_counted(
    database: Database, breaks: Callable[[Stage], None], figure: str, value: int
) -> None:
    stage = Stage(database)
    breaks(stage)
    report = await stage.audit()
    assert getattr(report, figure) == value
    assert any(figure in told for told in report.broken)


def _not_in_the_nodes_book(stage: Stage) -> None:
    stage.partner.left.clear()


def _less_than_wanted(stage: Stage) -> None:
    stage.shop.book["77"] = replace(SOLD, wanted={"MUG": 3})


def _not_posted(stage: Stage) -> None:
    stage.books.booked_orders["O1"] = replace(BOOKED, invoices=0, invoiced=0)


def _a_cent_off(stage: Stage) -> None:
    stage.books.booked_orders["O1"] = replace(BOOKED, invoiced=4999)


def _not_written_back(stage: Stage) -> None:
    stage.shop.book["77"] = replace(SOLD, fulfilled={"MUG": 1})


@pytest.mark.parametrize(
    ("breaks", "figures", "told"),
    [
        # The channel knows of units that no node let go: that is wrong twice.
        (_not_in_the_nodes_book, ["shipped", "written_back"], "left no node's books whole"),
        (_less_than_wanted, ["shipped"], "left no node's books whole"),
        (_not_posted, ["posted"], "not in the ledger with their total"),
        (_a_cent_off, ["posted"], "not in the ledger with their total"),
        (_not_written_back, ["written_back"], "not written back to their channel"),
    ],
)
async def test_a_delivered_order_that_a_book_does_not_bear_out_is_named(
    database: Database, breaks: Callable[[Stage], None], figures: list[str], told: str
) -> None:
    stage = Stage(database)
    breaks(stage)
    report = await stage.audit()
    wrong = [name for name in ("shipped", "posted", "written_back") if getattr(report, name) == 0]
    assert wrong == figures
    assert any(told in line and "O1" in line for line in report.broken)


async def test_an_order_that_moves_breaks_the_sum(database: Database) -> None:
    stage = Stage(database, sql=["UPDATE slice SET state = 'shipped'"])
    report = await stage.audit()
    assert report.delivered == 0
    assert report.broken == ("1 orders are neither delivered, cancelled, waiting nor parked",)
