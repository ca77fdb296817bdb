"""A merchant with an Odoo, and the documents of one order."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from adapters.odoo.post import post
from adapters.odoo.settings import Settings
from adapters.odoo.simulated import orders
from adapters.odoo.simulator import OdooSimulator
from hub.domain.posting import DocumentKind
from hub.sdk.outcomes import Done, NeedsPerson, Outcome
from hub.sdk.posting import PostingLine, PostingRequest
from hub.sdk.testkit.bench import Bench, outcome_of
from hub.sdk.testkit.samples import POSTING
from hub.sdk.wire import Client, Request, Response

ORDER = POSTING.order


class Shop:
    """A merchant with an Odoo: posts documents and looks into the books."""

    def __init__(self, bench: Bench, simulator: OdooSimulator, settings: Settings) -> None:
        self.bench = bench
        self.odoo = simulator
        self.settings = settings

    def set(self, **changes: object) -> None:
        self.settings = msgspec.structs.replace(self.settings, **changes)

    async def post(self, request: PostingRequest, meddle: "Meddle | None" = None) -> Outcome:
        async with self.bench.context() as context:
            changed = msgspec.structs.replace(context, settings=self.settings)
            if meddle is not None:
                changed = msgspec.structs.replace(changed, client=Meddler(changed.client, meddle))
            return await outcome_of(post(changed, request))

    async def done(self, *requests: PostingRequest) -> Done:
        for request in requests:
            outcome = await self.post(request)
            assert isinstance(outcome, Done), outcome
        return outcome

    async def blocked(self, request: PostingRequest, meddle: "Meddle | None" = None) -> NeedsPerson:
        outcome = await self.post(request, meddle)
        assert isinstance(outcome, NeedsPerson), outcome
        return outcome


Meddle = Callable[[Request], bytes | None]
"""Sees each request before Odoo does; answers in its place when it returns a body."""


class Meddler:
    """A client with somebody else at work on the other side."""

    def __init__(self, client: Client, meddle: Meddle) -> None:
        self._client = client
        self._meddle = meddle

    async def send(self, request: Request) -> Response:
        answer = self._meddle(request)
        if answer is not None:
            return Response(status=200, headers={}, body=answer)
        return await self._client.send(request)


def document(kind: DocumentKind, **changes: object) -> PostingRequest:
    shipment = None if kind is DocumentKind.ORDER else f"{ORDER}-S1"
    return msgspec.structs.replace(POSTING, kind=kind, shipment=shipment, key=f"{ORDER}-{kind}", **changes)


SALE = document(DocumentKind.ORDER)
DELIVERY = document(DocumentKind.DELIVERY)
INVOICE = document(DocumentKind.INVOICE)
CREDIT = document(DocumentKind.CREDIT_NOTE)


def part(kind: DocumentKind, shipment: int, *lines: PostingLine, shipping: int = 0) -> PostingRequest:
    total = sum(line.amount + line.tax for line in lines) + shipping
    return msgspec.structs.replace(
        POSTING,
        kind=kind,
        key=f"{ORDER}-{kind}-{shipment}",
        shipment=f"{ORDER}-S{shipment}",
        lines=lines,
        shipping=shipping,
        total=total,
    )


MUG, TEE = POSTING.lines
ONE_MUG = msgspec.structs.replace(MUG, quantity=1, amount=1299, tax=113)
OTHER_MUG = msgspec.structs.replace(MUG, quantity=1, amount=1300, tax=114)

LIFE = (
    SALE,
    part(DocumentKind.DELIVERY, 1, ONE_MUG),
    part(DocumentKind.INVOICE, 1, ONE_MUG, shipping=500),
    part(DocumentKind.DELIVERY, 2, OTHER_MUG, TEE),
    part(DocumentKind.INVOICE, 2, OTHER_MUG, TEE),
    msgspec.structs.replace(part(DocumentKind.CREDIT_NOTE, 2, TEE), key=f"{ORDER}-post-9"),
)


def sell(odoo: OdooSimulator, price: str = "55", ref: str = ORDER) -> int:
    """Somebody enters an order in Odoo."""
    line = {"product_id": 1, "product_uom_qty": 1, "price_unit": Decimal(price)}
    return orders.create_order(odoo.books, {"partner_id": 1, "client_order_ref": ref, "order_line": [[0, 0, line]]})
