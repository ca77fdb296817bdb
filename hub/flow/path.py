"""THE MAP: message -> handler, in the order an order travels.

1   webhook or pull      web/webhooks.py, worker/pull.py
2-3 verify, inbox        receive.py
3b  fetch                fetch.py, worker/fetch.py
4   normalise            normalise.py
5   order                take_order.py, amend.py, hold.py
6   route                route.py             (routing/ decides)
7   fulfilment order     fulfil.py
8   outbox to delivery   store/outbox.py, worker/relay.py, worker/deliver.py
9   confirmation         carry.py, confirm.py, departure.py, node_hold.py
9b  store                pick_up.py, claim.py, transfer.py; what the clock does: deadlines.py
10  write-back           write_back.py        (availability: stock_levels.py, worker/broadcast.py)
11  ERP                  post_to_erp.py, post_payment.py; what it holds: books.py; what is ordered: supply.py;
                         what is sold: items.py
12  money                pay.py               (captures and voids; their answers: take_back.py)
13  back again           returns.py, grade.py, refund.py, exchange.py
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple, cast

from hub.domain.facts import (
    BooksReported,
    CancelConfirmed,
    CancelRefused,
    CancelTold,
    DisclosureAsked,
    ErasureAsked,
    FulfilmentAccepted,
    FulfilmentHeld,
    FulfilmentRefused,
    GoodsArrived,
    GoodsCollected,
    GoodsLost,
    GoodsReturned,
    GoodsShipped,
    ItemReported,
    NodeFact,
    ParcelScanned,
    PaymentMade,
    PaymentRefused,
    PurchaseOrdered,
    ReadyForPickUp,
    StockReported,
    SupplyReported,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.order import OrderSnapshot
from hub.flow.batch import Batch
from hub.flow.books import take_books
from hub.flow.carry import Parked, take_facts
from hub.flow.items import take_items
from hub.flow.normalise import normalise
from hub.flow.ports import Inbound, Unit
from hub.flow.privacy import take_privacy
from hub.flow.stock_levels import take_stock
from hub.flow.supply import take_supply
from hub.flow.take_back import take_payments, take_returns
from hub.flow.take_order import take_orders
from hub.flow.trouble import Trouble
from hub.sdk.adapter import Lane, Message

Read = list[tuple[Inbound, Message]]
Handled = tuple[Parked, list[Inbound]]
"""What needs a person, and what came too early and is tried again by itself."""


async def _orders(unit: Unit, messages: Read, batch: Batch) -> Handled:
    return await take_orders(unit, cast("list[tuple[Inbound, OrderSnapshot]]", messages), batch), []


async def _facts(unit: Unit, messages: Read, batch: Batch) -> Handled:
    return await take_facts(unit, cast("list[tuple[Inbound, NodeFact | ParcelScanned]]", messages), batch)


async def _stock(unit: Unit, messages: Read, batch: Batch) -> Handled:
    return await take_stock(unit, cast("list[tuple[Inbound, StockReported]]", messages), batch), []


async def _payments(unit: Unit, messages: Read, batch: Batch) -> Handled:
    await take_payments(unit, cast("list[tuple[Inbound, PaymentMade | PaymentRefused | CancelTold]]", messages), batch)
    return [], []


async def _returns(unit: Unit, messages: Read, batch: Batch) -> Handled:
    return await take_returns(unit, cast("list[tuple[Inbound, GoodsReturned]]", messages), batch), []


async def _privacy(unit: Unit, messages: Read, batch: Batch) -> Handled:
    return await take_privacy(unit, cast("list[tuple[Inbound, ErasureAsked | DisclosureAsked]]", messages), batch), []


async def _supply(unit: Unit, messages: Read, batch: Batch) -> Handled:
    return await take_supply(unit, cast("list[tuple[Inbound, SupplyReported]]", messages), batch), []


async def _items(unit: Unit, messages: Read, batch: Batch) -> Handled:
    return await take_items(unit, cast("list[tuple[Inbound, ItemReported]]", messages), batch), []


async def _books(unit: Unit, messages: Read, batch: Batch) -> Handled:
    await take_books(unit, cast("list[tuple[Inbound, BooksReported]]", messages), batch)
    return [], []


PATH: Final = {
    OrderSnapshot: _orders,
    FulfilmentAccepted: _facts,
    PurchaseOrdered: _facts,
    FulfilmentRefused: _facts,
    FulfilmentHeld: _facts,
    UnitsPicked: _facts,
    UnitsPacked: _facts,
    UnitsShort: _facts,
    GoodsShipped: _facts,
    ReadyForPickUp: _facts,
    GoodsCollected: _facts,
    GoodsArrived: _facts,
    GoodsLost: _facts,
    CancelConfirmed: _facts,
    CancelRefused: _facts,
    ParcelScanned: _facts,
    StockReported: _stock,
    ItemReported: _items,
    SupplyReported: _supply,
    BooksReported: _books,
    PaymentMade: _payments,
    PaymentRefused: _payments,
    CancelTold: _payments,
    GoodsReturned: _returns,
    ErasureAsked: _privacy,
    DisclosureAsked: _privacy,
}
"""Every canonical message, and who takes it."""

EARLY_TRIES: Final = 12
EARLY_WAIT: Final = timedelta(seconds=5)
"""A scan that comes before its shipment is tried again this often, at growing distance, before a person is asked."""


class Done(NamedTuple):
    """What a batch did."""

    claimed: int
    parked: int = 0


async def perform(unit: Unit, lane: Lane, batch: Batch, *, limit: int, only: Sequence[int] | None = None) -> Done:
    """Take a batch of a lane as far as it goes, inside the unit's transaction."""
    claimed = await unit.claim(lane.value, limit, only)
    if not claimed:
        return Done(0)
    read: dict[object, Read] = {}
    parked: Parked = []
    for inbound in claimed:
        messages = normalise(inbound, batch.directory)
        if isinstance(messages, Trouble):
            parked.append((inbound, messages))
            continue
        for message in messages:
            read.setdefault(PATH[type(message)], []).append((inbound, message))
    early: list[Inbound] = []
    for handler in dict.fromkeys(PATH.values()):
        if handler in read:
            troubled, waiting = await handler(unit, read[handler], batch)
            parked += troubled
            early += waiting
    parked += [(inbound, _too_early(inbound)) for inbound in early if inbound.tries >= EARLY_TRIES]
    await _conclude(unit, claimed, parked, [i for i in early if i.tries < EARLY_TRIES], batch)
    return Done(len(claimed), len(parked))


async def _conclude(
    unit: Unit, claimed: Sequence[Inbound], parked: Parked, early: Sequence[Inbound], batch: Batch
) -> None:
    aside = {inbound.id for inbound, _ in parked} | {inbound.id for inbound in early}
    await unit.finish([inbound.id for inbound in claimed if inbound.id not in aside])
    for inbound in early:
        await unit.postpone([inbound.id], batch.now + EARLY_WAIT * (inbound.tries + 1), "its subject is not known yet")
    await unit.park(parked, batch.now, batch.directory.epoch)


def _too_early(inbound: Inbound) -> Trouble:
    return Trouble(
        kind="unknown_parcel",
        cause=f"{inbound.connection}: {inbound.object}",
        next_step="The carrier speaks of a parcel that no node told us of. Ask the node for the shipment, then retry.",
        external_id=inbound.object,
    )
