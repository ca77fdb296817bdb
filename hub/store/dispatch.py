"""What is needed to build the requests of claimed effects: read in a few statements, outside any transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hub.domain.contact import Contact
from hub.domain.effects import (
    BuyLabel,
    BuyReturnLabel,
    CapturePayment,
    PostCreditNote,
    PostPayment,
    RefundPayment,
    SubmitFulfilment,
    VoidPayment,
)
from hub.domain.network import Node, NodeKind
from hub.flow.aggregate import Order
from hub.flow.cartons import Goods
from hub.flow.ports import Claimed
from hub.flow.stock_ports import ItemFacts
from hub.sdk.posting import AdjustedLine
from hub.store import labels, orders, returns, stock_postings
from hub.store.contacts import contacts
from hub.store.database import PooledConnection
from hub.store.outbox import known
from hub.store.supplier_prices import Prices, agreed_prices
from hub.store.unit_of_work import PostgresUnit

BESIDE: Final = (BuyReturnLabel, CapturePayment, PostCreditNote, PostPayment, RefundPayment, VoidPayment)
"""Effects about what stands beside an order."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Orders with their people and items, and what the partner calls them."""

    orders: Mapping[str, Order]
    contacts: Mapping[str, Mapping[str, Contact]]
    items: Mapping[int, ItemFacts]
    references: Mapping[str, str]
    """ "kind:ours" -> theirs."""
    prices: Prices
    """What suppliers agreed to, where they did."""
    goods: Mapping[int, Goods]
    """What packing and customs ask of the items; only where a label is bought."""
    purchases: Mapping[str, labels.Purchase]
    """What became of the labels that are to be voided, by the fulfilment order's id."""
    adjusted: Mapping[str, tuple[AdjustedLine, ...]]
    """What documents of stock adjustments tell of, by the effect's key."""


async def load(
    connection: PooledConnection,
    account: int,
    claimed: Sequence[Claimed],
    nodes: Mapping[int, Node] = MappingProxyType({}),
) -> Loaded:
    """Read what the requests of one connection's effects are made of. `nodes` tell who of the asked is a supplier."""
    ids = sorted({one.order for one in claimed if one.order})
    found = await orders.by_id(connection, ids, lock=False)
    beside = {one.order for one in claimed if isinstance(one.effect, BESIDE)}
    await returns.attach_peers(connection, [found[id] for id in sorted(beside) if id in found])
    people = await contacts(connection, ids)
    wanted = {d.item for order in found.values() for d in order.demands.values() if d.item is not None}
    items = await PostgresUnit(connection).items_by_id(wanted)
    ours = {name for one in claimed for name in (one.order, one.subject, one.key) if name}
    theirs = await known(connection, account, sorted(ours))
    references = {f"{kind}:{name}": value for (kind, name), value in theirs.items()}
    label = any(isinstance(one.effect, BuyLabel | BuyReturnLabel) for one in claimed)
    return Loaded(
        orders=found,
        contacts=people,
        items=items,
        references=references,
        prices=await agreed_prices(connection, _suppliers(claimed, found, nodes), wanted),
        goods=await labels.goods(connection, wanted) if label else {},
        purchases=await labels.purchases(connection, claimed),
        adjusted=await stock_postings.lines(connection, claimed),
    )


def _suppliers(claimed: Sequence[Claimed], found: Mapping[str, Order], nodes: Mapping[int, Node]) -> set[int]:
    """Suppliers that are to be sent purchase orders."""
    asked = set()
    for one in claimed:
        effect = one.effect
        if isinstance(effect, SubmitFulfilment) and effect.order in found:
            asked.add(found[effect.order].fulfilments[effect.fulfilment].node)
    return {node for node in asked if node in nodes and nodes[node].kind is NodeKind.SUPPLIER}
