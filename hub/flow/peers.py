"""Rows of what stands beside an order: returns, refunds, payment requests, related orders, goods back. Pure."""

from datetime import datetime

import msgspec

from hub.domain.returns import Refund, Return
from hub.domain.stock import StockReason
from hub.flow.aggregate import Moved, Order
from hub.flow.writes import LedgerRow, Row, Writes

_encode = msgspec.json.Encoder().encode


def settle_peers(order: Order, writes: Writes, now: datetime) -> None:
    """Add what the changes of an order's peers call for."""
    before = order.before
    writes.returns.extend(return_row(one) for id, one in order.returns.items() if before.returns.get(id) is not one)
    writes.refunds.extend(
        _refund_row(order.merchant, one) for id, one in order.refunds.items() if before.refunds.get(id) is not one
    )
    for no, request in order.requests.items():
        if before.requests.get(no) is not request:
            row = (order.id, no, request.kind.value, request.state.value, _encode(request).decode())
            writes.payment_requests.append(row)
    for other, kind in order.related:
        writes.related += [(order.id, other, kind), (other, order.id, f"{kind}_of")]
    writes.ledger.extend(ledger_row(order.merchant, moved, now) for moved in order.came_back)


def return_row(one: Return) -> Row:
    """A return as its statement takes it."""
    return (one.id, one.merchant, one.order, one.state.value, one.node, one.source, _encode(one).decode(),
            one.created_at)  # fmt: skip


def ledger_row(merchant: str, moved: Moved, now: datetime) -> LedgerRow:
    """Goods that came back, as the ledger keeps them."""
    return LedgerRow(
        merchant,
        moved.node,
        moved.item,
        moved.units,
        StockReason.RETURN.value,
        "hub",
        moved.cause,
        now,
        condition=moved.condition,
    )


def _refund_row(merchant: str, one: Refund) -> Row:
    return (one.id, merchant, one.order, one.no, one.return_id, ",".join(one.external_ids) or None, one.amount,
            one.currency, one.state.value, _encode(one).decode(), one.created_at)  # fmt: skip
