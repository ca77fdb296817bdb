"""Refunds as the API shows them."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from hub.domain.returns import Refund, RefundLine
from hub.domain.states import RefundState
from hub.store.admin.errors import no_such
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """A refund. Amounts in minor units of `currency`; lines, shipping and adjustment sum to `amount`."""

    id: str
    order: str
    number: str
    state: RefundState
    amount: int
    currency: str
    lines: list[RefundLine]
    shipping: int
    adjustment: int
    """What no line explains: goodwill is positive, fees kept back are negative."""
    return_id: str | None
    reason: str
    origin: Literal["hub", "channel"]
    """Who decided it."""
    asked_by: str
    external_ids: list[str]
    """The channel's ids of the payments that it became."""
    created_at: datetime


SELECT: Final = "SELECT document FROM refund WHERE merchant = $1 "
_refund = msgspec.json.Decoder(Refund)


async def list_refunds(
    connection: PooledConnection,
    merchant: str,
    cut: Cut,
    *,
    order: str | None,
    state: str | None,
    return_id: str | None,
) -> Page[RefundView]:
    """Refunds, the newest first."""
    (before,) = cut.after(str)
    rows = await connection.fetch(
        SELECT + "AND ($2::text IS NULL OR id < $2) AND ($3::text IS NULL OR order_id = $3) "
        "AND ($4::text IS NULL OR state = $4) AND ($5::text IS NULL OR return_id = $5) ORDER BY id DESC LIMIT $6",
        merchant,
        before,
        order,
        state,
        return_id,
        cut.limit + 1,
    )
    return page([view(_refund.decode(row[0])) for row in rows], cut, lambda found: (found.id,))


async def get_refund(connection: PooledConnection, merchant: str, id: str) -> RefundView:
    """One refund; raises `Missing`."""
    document = await connection.fetchval(SELECT + "AND id = $2", merchant, id)
    if document is None:
        raise no_such("refund", id)
    return view(_refund.decode(document))


def view(one: Refund) -> RefundView:
    """A refund as it is shown."""
    return RefundView(
        id=one.id,
        order=one.order,
        number=f"{one.order}-R{one.no}",
        state=one.state,
        amount=one.amount,
        currency=one.currency,
        lines=list(one.lines),
        shipping=one.shipping,
        adjustment=one.adjustment,
        return_id=one.return_id,
        reason=one.reason,
        origin="channel" if one.origin == "channel" else "hub",
        asked_by=one.asked_by,
        external_ids=list(one.external_ids),
        created_at=one.created_at,
    )
