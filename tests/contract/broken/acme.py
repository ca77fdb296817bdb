"""A tiny adapter that keeps its contract, for an invented warehouse: what the broken ones beside it differ from."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, Final

import msgspec
from litestar import Request as HttpRequest
from litestar import Response as HttpResponse
from litestar import get, post

from hub.domain.facts import FulfilmentAccepted, GoodsShipped
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import OrderContent, OrderSnapshot
from hub.domain.shipping import Parcel
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Message, Pull, Topic
from hub.sdk.capabilities import Check, Command, Context, FulfilmentRequest, Page, Probe, Pulled
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, Refused, RetryLater, Uncertain
from hub.sdk.redaction import Masked
from hub.sdk.testkit.harness import Harness, Sample, json_sample
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
        limits=(RateLimit(scope="account", key=settings.site, capacity=10, per_second=20),),
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


class Sale(msgspec.Struct):
    number: str
    revision: int
    placed: datetime
    currency: str


def sale(body: bytes, tables: Tables) -> tuple[Message, ...]:
    try:
        sold = msgspec.json.decode(body, type=Sale)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Malformed("number", "$", "the body") from None
    content = OrderContent(
        external_id=sold.number,
        version=sold.revision,
        number=sold.number,
        placed_at=sold.placed,
        currency=sold.currency,
        amounts=AmountSet(shop=Amounts(currency=sold.currency)),
        lines=(),
    )
    return (OrderSnapshot(content=content),)


def submit_request(request: FulfilmentRequest) -> Request:
    lines = [{"sku": line.sku, "quantity": line.quantity} for line in request.lines]
    body = msgspec.json.encode({"reference": request.fulfilment, "name": request.ship_to.name, "lines": lines})
    return Request(method="POST", path="/orders", operation="order.create", body=body, write=True)


def read_submit(response: Response, now: datetime) -> Outcome:
    if response.status in (200, 201):
        return read_taken(response.body)
    if response.status == 429 or response.status >= 500:
        return RetryLater(reason=f"answered {response.status}", at=retry_after(response, now))
    return NeedsPerson(reason=f"answered {response.status}", next_step="compare the request with the site's products")


class Taken(msgspec.Struct):
    """The site answers 200 with `errors` when it takes nothing, 201 with `rejected` SKUs when it takes a part."""

    id: str | None = None
    errors: list[str] = []
    rejected: list[str] = []


def read_taken(body: bytes) -> Outcome:
    try:
        taken = msgspec.json.decode(body, type=Taken)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Uncertain(reason="the answer cannot be read")
    if taken.rejected:
        reason = f"order {taken.id} was taken without {', '.join(taken.rejected)}"
        return NeedsPerson(reason=reason, next_step="create the missing products at the site, then retry")
    if taken.id is None:
        return Refused(reason="; ".join(taken.errors) or "the site took nothing and does not say why")
    return Done(reference=taken.id)


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


async def fetch(context: Context[Settings], topic: str, object: str, body: bytes) -> Pulled:
    response = await context.client.send(Request(method="GET", path=f"/changes/{object}", operation="change"))
    if response.status != 200:
        raise Interrupted(RetryLater(reason=f"{response.status}", at=retry_after(response, context.now())))
    return pulled(response.body)


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
    topics={
        "order.changed": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=changed),
        "order.noticed": Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="order.changed"),
        "sale": Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, translate=sale),
    },
    fetch=fetch,
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
        self.products = {"MUG-RED", "TEE-M"}
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
            page, since = int(request.query_params["page"]), request.query_params.get("since", "")
            changed = [change for change in self.changes if change["at"] >= since]
            return self.answer(request, 200, changed[page * 2 : page * 2 + 2])

        @get("/changes/{reference:str}", sync_to_thread=False)
        def change(request: HttpRequest[Any, Any, Any]) -> HttpResponse[Any]:
            found = [each for each in self.changes if each["reference"] == request.path_params["reference"]]
            return self.answer(request, 200 if found else 404, found[-1] if found else {"error": "no such order"})

        @post("/orders")
        async def create(request: HttpRequest[Any, Any, Any]) -> HttpResponse[Any]:
            wanted = await request.json()
            rejected = [line["sku"] for line in wanted["lines"] if line["sku"] not in self.products]
            if len(rejected) == len(wanted["lines"]):
                return self.answer(request, 200, {"errors": [f"no product {sku}" for sku in rejected]})
            order = {"id": f"A-{len(self.orders) + 1}", **wanted}
            if self.known(request):
                self.orders.append(order)
            return self.answer(request, 201, {**order, "rejected": rejected})

        return [site, orders, changes, change, create]

    def known(self, request: HttpRequest[Any, Any, Any]) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.token}"

    def answer(self, request: HttpRequest[Any, Any, Any], status: int, content: object) -> HttpResponse[Any]:
        now = monotonic()
        self.recent.append(now)
        while self.recent[0] < now - 0.5:
            self.recent.popleft()
        if len(self.recent) > 30:
            self.violations.append(f"{len(self.recent)} requests within half a second")
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


SHIPPED: Final[dict[str, Any]] = {
    "reference": "01KF0X5B3GCDEFGHJKMN-1",
    "status": "SHIPPED",
    "at": "2026-01-16T15:00:00Z",
    "boxes": [{"tracking": "1Z999AA10123456784", "carrier": "ups", "cost": "19.99"}],
}

NOTICE = msgspec.json.encode({"reference": SHIPPED["reference"], "status": "ACCEPTED", "at": SHIPPED["at"]})
"""It only says that something happened; what it says of it may be forged or old."""

SALE = {"number": "1001", "revision": 7, "placed": "2026-01-15T09:30:00Z", "currency": "USD"}


def fill(simulator: AcmeSimulator) -> int:
    references = [f"01KF0X5B3GCDEFGHJKMN-{number}" for number in range(1, 6)]
    at = simulator.now().isoformat()
    simulator.changes.extend({**SHIPPED, "reference": reference, "at": at} for reference in references)
    return len(references)


def noticed(simulator: AcmeSimulator) -> tuple[str, bytes]:
    simulator.changes.append(SHIPPED)
    return SHIPPED["reference"], NOTICE


def without(*skus: str) -> Callable[[AcmeSimulator, FulfilmentRequest], Command]:
    """The site has no such products."""

    def prepare(simulator: AcmeSimulator, request: FulfilmentRequest) -> Command:
        simulator.products -= set(skus)
        return request

    return prepare


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
        Sample(topic="order.noticed", body=NOTICE, event="event-3", signed=False),
        json_sample("sale", SALE, identity="number", version=("revision", 8), event="event-4", signed=False),
    ),
    tables={"status": {"ACCEPTED": "accepted", "SHIPPED": "shipped"}},
    fill={"status": fill},
    fetched={"order.noticed": noticed},
    declined={"submit_fulfilment": without("MUG-RED", "TEE-M")},
    in_part={"submit_fulfilment": without("TEE-M")},
)
