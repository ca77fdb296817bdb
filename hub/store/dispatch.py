"""What is needed to build the requests of claimed effects: read in a few statements, outside any transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.contact import Contact
from hub.domain.effects import BuyReturnLabel, CapturePayment, PostCreditNote, RefundPayment, VoidPayment
from hub.flow.aggregate import Order
from hub.flow.ports import Claimed, ItemFacts
from hub.store import orders, returns
from hub.store.contacts import contacts
from hub.store.database import PooledConnection
from hub.store.outbox import known
from hub.store.unit_of_work import PostgresUnit

BESIDE: Final = (BuyReturnLabel, CapturePayment, PostCreditNote, RefundPayment, VoidPayment)
"""Effects about what stands beside an order."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Orders with their people and items, and what the partner calls them."""

    orders: Mapping[str, Order]
    contacts: Mapping[str, Mapping[str, Contact]]
    items: Mapping[int, ItemFacts]
    references: Mapping[str, str]
    """ "kind:ours" -> theirs."""


async def load(connection: PooledConnection, account: int, claimed: Sequence[Claimed]) -> Loaded:
    """Read what the requests of one connection's effects are made of."""
    ids = sorted({one.order for one in claimed if one.order})
    found = await orders.by_id(connection, ids, lock=False)
    beside = {one.order for one in claimed if isinstance(one.effect, BESIDE)}
    await returns.attach_peers(connection, [found[id] for id in sorted(beside) if id in found])
    people = await contacts(connection, ids)
    wanted = {d.item for order in found.values() for d in order.demands.values() if d.item is not None}
    items = await PostgresUnit(connection).items_by_id(wanted)
    ours = {name for one in claimed for name in (one.order, one.subject, one.key)}
    theirs = await known(connection, account, sorted(ours))
    references = {f"{kind}:{name}": value for (kind, name), value in theirs.items()}
    return Loaded(orders=found, contacts=people, items=items, references=references)
