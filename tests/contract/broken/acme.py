"""A tiny adapter that keeps its contract, for an invented warehouse: what the broken ones beside it differ from."""

from collections import deque
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import msgspec
from litestar import Request as HttpRequest
from litestar import Response as HttpResponse
from litestar import get, post

from hub.domain.facts import FulfilmentAccepted, GoodsShipped
from hub.domain.shipping import Parcel
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Message, Pull, Topic
from hub.sdk.capabilities import Check, Command, Context, FulfilmentRequest, Page, Probe, Pulled
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, RetryLater
from hub.sdk.redaction import Masked
from hub.sdk.testkit.harness import Harness, json_sample
from hub.sdk.testkit.simulator import Simulator
from hub.sdk.translate import Malformed, Tables
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict, hmac_sha256, signed_hex
from hub.sdk.wire import RateLimit, Request, Response, Transport

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Config of a connection."""

    site: str
    token: Secret
    webhook_secret: Secret
    base_url: str | None = None


def transport(settings: Settings) -> Transport:
    return Transport(
        base_url=settings.base_url or "https://api.acme.example",
        headers={"authorization": f"Bearer {settings.token}"},
        limits=(RateLimit(scope="account", key=settings.site, capacity=10, per_second=40),),
    )


def check(delivery: Delivery, settings: Settings) -> Verdict:
    if not signed_hex(delivery.body, delivery.headers.get("acme-signature"), (settings.webhook_secret,)):
        return Refuse()
    return Store(key=delivery.headers.get("acme-event", ""), topic="order.changed")


class Box(msgspec.Struct):
    tracking: str
    carrier: str
    cost: Decimal | None = None


class Changed(msgspec.Struct):
    reference: str
    status: str
    at: datetime
    boxes: list[Box] = []


def decode(body: bytes) -> Changed:
    try:
        return msgspec.json.decode(body, type=Changed)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Malformed("reference", "$", "the body") from None


def changed(body: bytes, tables: Tables) -> tuple[Message, ...]:
    order = decode(body)
    if tables.require("status", order.status) == "accepted":
        return (FulfilmentAccepted(at=order.at, fulfilment=order.reference),)
    parcels = tuple(Parcel(tracking=box.tracking, carrier=box.carrier, cost=box.cost) for box in order.boxes)
    return (GoodsShipped(at=order.at, fulfilment=order.reference, shipment=f"{order.reference}-s", parcels=parcels),)


def submit_request(request: FulfilmentRequest) -> Request:
    lines = [{"sku": line.sku, "quantity": line.quantity} for line in request.lines]
    body = msgspec.json.encode({"reference": request.fulfilment, "name": request.ship_to.name, "lines": lines})
    return Request(method="POST", path="/orders", operation="order.create", body=body, write=True)


def read_submit(response: Response, now: datetime) -> Outcome:
    if response.status == 201:
        return Done(reference=msgspec.json.decode(response.body)["id"])
    if response.status == 429 or response.status >= 500:
        return RetryLater(reason=f"answered {response.status}", at=retry_after(response, now))
    return NeedsPerson(reason=f"answered {response.status}", next_step="compare the request with the site's products")


async def find(context: Context[Settings], reference: str) -> str | None:
    """The site's id of our order, or None."""
    response = await context.client.send(
        Request(method="GET", path="/orders", operation="order.find", query={"reference": reference})
    )
    if response.status != 200:
        raise Interrupted(RetryLater(reason=f"{response.status}", at=retry_after(response, context.now())))
    found: list[dict[str, str]] = msgspec.json.decode(response.body)
    return found[0]["id"] if found else None


async def submit(context: Context[Settings], request: FulfilmentRequest) -> Outcome:
    if request.look_first:
        found = await find(context, request.fulfilment)
        if found is not None:
            return Done(reference=found, found=True)
    return read_submit(await context.client.send(submit_request(request)), context.now())


async def probe(context: Context[Settings]) -> Probe:
    response = await context.client.send(Request(method="GET", path="/site", operation="site"))
    name = msgspec.json.decode(response.body)["name"] if response.status == 200 else ""
    return Probe(account=name, checks=(Check(name="site", ok=bool(name), detail=name),))


async def pull_orders(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    page = cursor or "0"
    while True:
        response = await context.client.send(
            Request(method="GET", path="/changes", operation="changes", query={"page": page})
        )
        if response.status != 200:
            raise Interrupted(RetryLater(reason=f"{response.status}", at=retry_after(response, context.now())))
        rows: list[msgspec.Raw] = msgspec.json.decode(response.body, type=list[msgspec.Raw])
        yield Page(items=tuple(pulled(bytes(row)) for row in rows), cursor=page)
        if not rows:
            return
        page = str(int(page) + 1)


def pulled(body: bytes) -> Pulled:
    order = decode(body)
    return Pulled(
        key=f"{order.reference}:{order.at.isoformat()}", topic="order.changed", object=order.reference, body=body
    )


ADAPTER = Adapter(
    name="acme",
    title="Acme",
    kind=Kind.NODE,
    settings=Settings,
    account=lambda settings: settings.site,
    transport=transport,
    check=check,
    topics={"order.changed": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=changed)},
    pulls={"status": Pull(pages=pull_orders, every_seconds=300)},
    probe=probe,
    submit_fulfilment=submit,
)


class AcmeSimulator(Simulator):
    """The warehouse's books. It does not mind two orders under one reference; we do."""

    vendor = "acme"

    def __init__(self) -> None:
        super().__init__()
        self.token = "token-of-acme"
        self.orders: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []
        self.recent: deque[float] = deque()

    def routes(self) -> list[Any]:
        @get("/site", sync_to_thread=False)
        def site(request: HttpRequest[Any, Any, Any]) -> HttpResponse[Any]:
            return self.answer(request, 200, {"name": "acme-1"})

        @get("/orders", sync_to_thread=False)
        def orders(request: HttpRequest[Any, Any, Any]) -> HttpResponse[Any]:
            reference = request.query_params["reference"]
            return self.answer(request, 200, [order for order in self.orders if order["reference"] == reference])

        @get("/changes", sync_to_thread=False)
        def changes(request: HttpRequest[Any, Any, Any]) -> HttpResponse[Any]:
            page = int(request.query_params["page"])
            return self.answer(request, 200, self.changes[page * 2 : page * 2 + 2])

        @post("/orders")
        async def create(request: HttpRequest[Any, Any, Any]) -> HttpResponse[Any]:
            order = {"id": f"A-{len(self.orders) + 1}", **await request.json()}
            if self.known(request):
                self.orders.append(order)
            return self.answer(request, 201, order)

        return [site, orders, changes, create]

    def known(self, request: HttpRequest[Any, Any, Any]) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.token}"

    def answer(self, request: HttpRequest[Any, Any, Any], status: int, content: object) -> HttpResponse[Any]:
        now = monotonic()
        self.recent.append(now)
        while self.recent[0] < now - 0.25:
            self.recent.popleft()
        if len(self.recent) > 25:
            self.violations.append(f"{len(self.recent)} requests within 250 ms")
        if not self.known(request):
            return HttpResponse({"error": "who are you"}, status_code=401)
        return HttpResponse(content, status_code=status)


def sign(settings: Settings, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    headers: Mapping[str, str] = {
        "acme-signature": hmac_sha256(settings.webhook_secret, body).hex(),
        "acme-event": event,
        "acme-sent": at.isoformat(),
    }
    url = "https://hub.example/webhooks/1"
    return Delivery(method="POST", url=url, headers=headers, query={}, body=body, received_at=at)


SHIPPED = {
    "reference": "01KF0X5B3GCDEFGHJKMN-1",
    "status": "SHIPPED",
    "at": "2026-01-16T15:00:00Z",
    "boxes": [{"tracking": "1Z999AA10123456784", "carrier": "ups", "cost": "19.99"}],
}


def fill(simulator: AcmeSimulator) -> int:
    references = [f"01KF0X5B3GCDEFGHJKMN-{number}" for number in range(1, 6)]
    simulator.changes.extend({**SHIPPED, "reference": reference} for reference in references)
    return len(references)


def effects(simulator: AcmeSimulator, capability: str, request: Command) -> int:
    assert isinstance(request, FulfilmentRequest)
    return sum(order["reference"] == request.fulfilment for order in simulator.orders)


HARNESS = Harness(
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=AcmeSimulator,
    settings=lambda simulator: Settings(
        site="acme-1", token=simulator.token, webhook_secret="hook-secret-of-acme", base_url=simulator.base_url
    ),
    effects=effects,
    sign=sign,
    samples=(
        json_sample(
            "order.changed",
            SHIPPED,
            identity="reference",
            status="status",
            expect=(
                GoodsShipped(
                    at=datetime(2026, 1, 16, 15, 0, tzinfo=UTC),
                    fulfilment="01KF0X5B3GCDEFGHJKMN-1",
                    shipment="01KF0X5B3GCDEFGHJKMN-1-s",
                    parcels=(Parcel(tracking="1Z999AA10123456784", carrier="ups", cost=Decimal("19.99")),),
                ),
            ),
        ),
        json_sample(
            "order.changed",
            {"reference": "01KF0X5B3GCDEFGHJKMN-1", "status": "ACCEPTED", "at": "2026-01-16T12:00:00Z"},
            identity="reference",
            status="status",
            event="event-2",
        ),
    ),
    tables={"status": {"ACCEPTED": "accepted", "SHIPPED": "shipped"}},
    fill={"status": fill},
)
