"""A ShipBob on loopback: its calls, its limits and its answers, over books that move on by themselves."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.types import ControllerRouterHandler

from adapters.shipbob import simulator_receiving
from adapters.shipbob.simulator_books import Books, Order, Pace, Return
from adapters.shipbob.simulator_documents import levels_document, order_document, return_document
from hub.sdk.testkit.simulator import Faults, Simulator

LOCATIONS: Final[Mapping[int, str]] = {3: "Cicero (IL)"}
WINDOW: Final = timedelta(minutes=1)
LARGEST_PAGE: Final = 250

Anyone = Request[Any, Any, Any]
Errors = dict[str, list[str]]


class ShipBobSimulator(Simulator):
    """ShipBob's API 2026-01 for one account with one channel.

    `books` are the state; `orders_created` counts orders by our reference. A reference is unique in the channel: a
    second order is 422. More than `per_minute` requests in a sliding minute are 429 and a violation. Orders move on
    whenever somebody looks: picked after half of `pace.ship_after_ms`, then gone; what the shelf does not hold waits
    as an Exception until `books.receive`.
    """

    vendor = "shipbob"

    def __init__(
        self,
        *,
        token: str,
        channel_id: int = 1,
        version: str = "2026-01",
        locations: Mapping[int, str] = LOCATIONS,
        stock: Mapping[int, Mapping[str, int]] | None = None,
        pace: Pace | None = None,
        per_minute: int = 150,
        seed: int = 1,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now)
        self.token = token
        self.channel_id = channel_id
        self.version = version
        self.locations = dict(locations)
        self.per_minute = per_minute
        self.books = Books(stock or {place: {} for place in locations}, pace or Pace(), self.random)
        self.orders_created: Counter[str] = Counter()
        self._asked: deque[datetime] = deque()

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """The calls our adapter makes, and GET /location beside them."""

        @post("/{version:str}/order")
        async def create(request: Anyone) -> Response[bytes]:
            body = await request.body()
            return self._serve(request, lambda: self._create(request, body))

        @get("/{version:str}/order")
        async def orders(request: Anyone) -> Response[bytes]:
            return self._serve(request, lambda: self._list(request))

        @get("/{version:str}/order/{order:str}")
        async def order(request: Anyone) -> Response[bytes]:
            return self._serve(request, lambda: self._one(request.path_params["order"]))

        @post("/{version:str}/order/{action:str}")
        async def act(request: Anyone) -> Response[bytes]:
            return self._serve(request, lambda: self._cancel(request.path_params["action"]))

        @get("/{version:str}/inventory-level/locations")
        async def levels(request: Anyone) -> Response[bytes]:
            return self._serve(request, lambda: self._levels(request))

        @get("/{version:str}/channel")
        async def channels(request: Anyone) -> Response[bytes]:
            return self._serve(request, lambda: (200, self._channels()))

        @get("/{version:str}/location")
        async def places(request: Anyone) -> Response[bytes]:
            rows = [{"id": number, "name": name, "is_active": True} for number, name in self.locations.items()]
            return self._serve(request, lambda: (200, rows))

        return [
            *(create, orders, order, act, levels, channels, places),
            *self._return_routes(),
            *self._receiving_routes(),
        ]

    def _receiving_routes(self) -> Sequence[ControllerRouterHandler]:
        @post("/{version:str}/receiving")
        async def announce(request: Anyone) -> Response[bytes]:
            body = await request.body()
            return self._serve(
                request, lambda: simulator_receiving.create(body, self.books, self.locations, self.now())
            )

        @get("/{version:str}/receiving")
        async def announced(request: Anyone) -> Response[bytes]:
            query = dict(request.query_params)
            return self._serve(request, lambda: simulator_receiving.listed(query, self.books, self.locations))

        @post("/{version:str}/inventory/history:query")
        async def history(request: Anyone) -> Response[bytes]:
            body = await request.body()
            return self._serve(request, lambda: simulator_receiving.history(body, self.books))

        return [announce, announced, history]

    def _return_routes(self) -> Sequence[ControllerRouterHandler]:
        @get("/{version:str}/return")
        async def returns(request: Anyone) -> Response[bytes]:
            return self._serve(request, lambda: self._returns(request))

        @get("/{version:str}/return/{id:str}")
        async def one(request: Anyone) -> Response[bytes]:
            return self._serve(request, lambda: self._return(request.path_params["id"]))

        return [returns, one]

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """429 in ShipBob's own headers."""
        wait = 1
        if self._asked and len(self._asked) >= self.per_minute:
            wait = int((self._asked[0] + WINDOW - self.now()).total_seconds()) + 1
        headers = {"x-retry-after": str(wait), "x-remaining-calls": "0", "content-type": "application/json"}
        body = {"statusCode": 429, "message": f"Rate limit is exceeded. Try again in {wait} seconds."}
        return 429, headers, msgspec.json.encode(body)

    # --- every call --------------------------------------------------------------------------------------------------

    def _serve(self, request: Anyone, answer: Callable[[], tuple[int, object]]) -> Response[bytes]:
        now = self.now()
        while self._asked and self._asked[0] <= now - WINDOW:
            self._asked.popleft()
        if len(self._asked) >= self.per_minute:
            self.violations.append(f"{request.method} {request.url.path}: over {self.per_minute} requests a minute")
            status, headers, body = self.throttled()
            return Response(body, status_code=status, headers=headers)
        self._asked.append(now)
        self.books.advance(now)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            outcome: tuple[int, object] = (401, {"message": "No access right at this time"})
        elif request.path_params["version"] != self.version:
            outcome = (404, {"message": "Resource not found"})
        else:
            outcome = answer()
        headers = {"x-remaining-calls": str(self.per_minute - len(self._asked)), "content-type": "application/json"}
        return Response(msgspec.json.encode(outcome[1]), status_code=outcome[0], headers=headers)

    # --- orders ------------------------------------------------------------------------------------------------------

    def _create(self, request: Anyone, body: bytes) -> tuple[int, object]:
        document = msgspec.json.decode(body)
        if request.headers.get("shipbob_channel_id") != str(self.channel_id):
            return 403, {"message": "the token has no access to this channel"}
        errors = _faults_of(document)
        if errors:
            return 400, errors
        reference = document["reference_id"]
        if reference in self.books.by_reference:
            return 422, {"reference_id": ["Duplicate reference ID"]}
        location = document.get("location_id") or next(iter(self.locations))
        if location not in self.locations:
            return 422, {"location_id": [f"Location {location} does not exist"]}
        if any(product["quantity"] < 1 for product in document["products"]):
            return 422, {"products": ["Quantity must be at least 1"]}
        order = self.books.add(document, self.channel_id, location, self.now())
        self.orders_created[reference] += 1
        return 201, self._document(order)

    def _list(self, request: Anyone) -> tuple[int, object]:
        query = request.query_params
        limit = min(int(query.get("Limit", "50")), LARGEST_PAGE)
        page = int(query.get("Page", "1"))
        found = self._chosen(dict(query))
        if query.get("SortOrder") != "Oldest":
            found = found[::-1]
        part = found[(page - 1) * limit : page * limit]
        return 200, [self._document(order) for order in part]

    def _chosen(self, query: Mapping[str, str]) -> list[Order]:
        if "ReferenceIds" in query:
            references = query["ReferenceIds"].split(",")
            return [self.books.by_reference[name] for name in references if name in self.books.by_reference]
        if "IDs" in query:
            return [self.books.orders[int(name)] for name in query["IDs"].split(",") if int(name) in self.books.orders]
        start, end = (_parsed(query.get(name)) for name in ("LastUpdateStartDate", "LastUpdateEndDate"))
        return list(self.books.changed(start, end))

    def _one(self, name: str) -> tuple[int, object]:
        order = self.books.orders.get(int(name)) if name.isdigit() else None
        if order is None:
            return 404, {"message": "Order not found"}
        return 200, self._document(order)

    def _cancel(self, action: str) -> tuple[int, object]:
        name, _, verb = action.partition(":")
        order = self.books.orders.get(int(name)) if name.isdigit() else None
        if order is None or verb != "cancel":
            return 404, {"message": "Order not found"}
        if order.status == "Cancelled":
            return 422, {"order": ["Order is already cancelled"]}
        results = self.books.cancel(order, self.now())
        done = sum(can for _, can in results)
        status = "Success" if done == len(results) else "PartialSuccess" if done else "Failure"
        rows = [
            {
                "shipment_id": shipment.id,
                "action": "Cancel",
                "is_success": can,
                "reason": None if can else "The shipment has already been picked",
            }
            for shipment, can in results
        ]
        answer = {"order": self._document(order), "order_id": order.id, "status": status}
        return 200, {**answer, "canceled_shipment_results": rows}

    def _document(self, order: Order) -> dict[str, Any]:
        return order_document(order, self.books, "Crossdock", self.locations)

    # --- the rest ----------------------------------------------------------------------------------------------------

    def _levels(self, request: Anyone) -> tuple[int, object]:
        query = request.query_params
        size, begin = int(query.get("PageSize", "50")), int(query.get("Cursor", "0"))
        wanted = query.get("SearchBy", "").lower()
        skus = sorted({sku for shelf in self.books.stock.values() for sku in shelf if wanted in sku.lower()})
        end = begin + size
        more = urlencode({**query, "PageSize": str(size), "Cursor": str(end)})
        following = f"/{self.version}/inventory-level/locations?{more}" if end < len(skus) else None
        return 200, levels_document(skus[begin:end], self.books, self.locations, following)

    def _returns(self, request: Anyone) -> tuple[int, object]:
        query = dict(request.query_params)
        start, end = (_parsed(query.get(name)) for name in ("CompletedStartDate", "CompletedEndDate"))
        found = [one for one in self.books.returns if _completed_between(one, start, end)]
        limit, page = int(query.get("Limit", "50")), int(query.get("Cursor", "1"))
        rows = [return_document(one, self.books, self.locations) for one in found[(page - 1) * limit : page * limit]]
        more = urlencode({**query, "Cursor": str(page + 1)}) if page * limit < len(found) else None
        path = None if more is None else f"/{self.version}/return?{more}"
        return 200, {"items": rows, "next": path, "prev": None, "first": None, "last": None}

    def _return(self, id: str) -> tuple[int, object]:
        found = next((one for one in self.books.returns if str(one.id) == id), None)
        if found is None:
            return 404, {"message": "Return not found"}
        return 200, return_document(found, self.books, self.locations)

    def _channels(self) -> dict[str, Any]:
        channel = {
            "id": self.channel_id,
            "name": "Crossdock",
            "application_name": "Crossdock",
            "scopes": ["orders_read", "orders_write", "inventory_read"],
        }
        return {"items": [channel], "next": None, "prev": None}


def _faults_of(document: dict[str, Any]) -> Errors:
    """What the create call requires and did not get."""
    required = ("reference_id", "products", "shipping_method", "recipient", "type")
    errors: Errors = {name: ["required"] for name in required if not document.get(name)}
    recipient = document.get("recipient") or {}
    address = recipient.get("address") or {}
    if not recipient.get("name"):
        errors["recipient.name"] = ["required"]
    errors |= {f"recipient.address.{n}": ["required"] for n in ("address1", "city", "country") if not address.get(n)}
    return errors


def _completed_between(one: Return, start: datetime | None, end: datetime | None) -> bool:
    at = one.completed
    return at is not None and (start is None or at >= start) and (end is None or at <= end)


def _parsed(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
