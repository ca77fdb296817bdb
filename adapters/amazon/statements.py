"""Refunds that the seller makes in Seller Central: read from the account, put beside their order.

A refund feed and the transaction that it leads to share no reference. So refunds are read only where this hub makes
none (`refund_payment` off): its own would come back as somebody else's and be booked twice.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from adapters.amazon import account, answers
from adapters.amazon.client import FIRST_SCAN, ORDERS, Seller, asked, request
from adapters.amazon.notifications import OBJECT
from adapters.amazon.schemas import IdentityAnswer, Shape
from hub.domain.network import Mode
from hub.sdk.capabilities import Page, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson

PULL: Final = "pull_refunds"
"""Off until its mode is set."""
EVERY_SECONDS: Final = 4 * 3600
OVERLAP_SECONDS: Final = 3 * 86400
"""Amazon may list a transaction up to 48 hours after it was posted (Finances API 2024-06-19, listTransactions)."""
NOT_YET: Final = timedelta(minutes=3)
"""Nothing younger than two minutes may be asked for."""
PATH: Final = "/finances/2024-06-19/transactions"


class _Transactions(Shape, frozen=True):
    transactions: tuple[msgspec.Raw, ...] = ()
    next_token: str | None = None


class _Answer(Shape, frozen=True):
    payload: _Transactions = _Transactions()


async def pull_refunds(context: Seller, cursor: str | None, /) -> AsyncIterator[Page]:
    """Every order of which money went back since the cursor (a moment), with all its refunds.

    Raises `Interrupted` where this hub makes refunds itself.
    """
    _alone(context)
    until = context.now() - NOT_YET
    since = until - FIRST_SCAN if cursor is None else datetime.fromisoformat(cursor)
    since = min(since, until) - timedelta(seconds=OVERLAP_SECONDS)
    told: set[str] = set()
    async for page in transactions(context, {"postedAfter": stamp(since)}, "refunds"):
        rows = (account.read(raw) for raw in page)
        named = (account.identifier(row, "ORDER_ID") for row in rows if account.is_refund(row))
        orders = sorted({order for order in named if order is not None} - told)
        told.update(orders)
        items = [await _with_refunds(context, order) for order in orders]
        yield Page(items=tuple(items), cursor=cursor or stamp(since))
    yield Page(items=(), cursor=stamp(until))


def _alone(context: Seller) -> None:
    modes = context.connection.modes
    if modes.get(PULL) is Mode.LIVE and modes.get("refund_payment", Mode.LIVE) is Mode.LIVE:
        reason = "refunds are made by this hub and read from Amazon's account too: each would be booked twice"
        step = "set the mode of refund_payment to off, or that of pull_refunds"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step))


async def _with_refunds(context: Seller, order: str) -> Pulled:
    """An order with its refunds; one that cannot be read any more is stored as no order, for a person to look at."""
    response = await asked(context, order)
    query = {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order}
    pages = transactions(context, query, f"order {order}")
    refunds = [raw async for page in pages for raw in page if account.is_refund(account.read(raw))]
    there = b'{"order":{}}'
    if response.status != 404:
        wanted = request("GET", f"{ORDERS}/{order}", "getOrder")
        answers.read(response, wanted, IdentityAnswer, f"order {order}", context.now())
        there = response.body
    body = beside(there, refunds)
    key = f"{OBJECT}{order}:refunds:{sha256(body).hexdigest()[:16]}"
    return Pulled(key=key, topic="order", object=f"{OBJECT}{order}", body=body)


def beside(body: bytes, refunds: list[msgspec.Raw]) -> bytes:
    """An answer of getOrder with refunds put into the order, whose own values stay as they are. Pure."""
    answer = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    order = msgspec.json.decode(answer["order"], type=dict[str, msgspec.Raw])
    order["refundTransactions"] = msgspec.Raw(msgspec.json.encode(refunds))
    return msgspec.json.encode({"order": order})


async def transactions(
    context: Seller, query: Mapping[str, str], subject: str
) -> AsyncIterator[tuple[msgspec.Raw, ...]]:
    """Pages of the account; Amazon may answer empty ones before the last."""
    token: str | None = None
    while True:
        page_of = {**query, "nextToken": token} if token else dict(query)
        wanted = request("GET", PATH, "listTransactions", query=page_of)
        response = await context.client.send(wanted)
        page = answers.read(response, wanted, _Answer, subject, context.now()).payload
        yield page.transactions
        if not page.next_token:
            return
        token = page.next_token


def stamp(moment: datetime) -> str:
    """A moment as Amazon wants it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
