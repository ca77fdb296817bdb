"""A ShipHero of our own: token, GraphQL with the operations the client uses, credits, and a warehouse that ships.

It speaks the documented shapes: HTTP 200 with `errors`, times without a zone, counts as text in webhooks, no
uniqueness of `partner_order_id` (`orders_created` counts, so that a doubled order is seen).
"""

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.types import ControllerRouterHandler

from adapters.shiphero import simulator_documents as documents
from adapters.shiphero.simulator_books import ACCOUNT_NUMBER, Said, Warehouse
from adapters.shiphero.simulator_documents import Json
from adapters.shiphero.simulator_quota import Quota, price
from hub.sdk.testkit.simulator import Faults

TOKEN_LIFE: Final = timedelta(days=28)
JSON: Final = "application/json"

Anyone = Request[Any, Any, Any]


class Call(msgspec.Struct):
    """A GraphQL request."""

    query: str
    operationName: str
    variables: dict[str, object] = {}


class ShipHeroSimulator(Warehouse):
    """One account with its API. `refuse_cancel` is the probability that packing has already begun.

    A client that goes on while it was told to wait for credits, or sends more than is allowed in five minutes, is
    written into `violations`. Snapshots end as `snapshot_status` says, at once.
    """

    vendor = "shiphero"

    def __init__(
        self,
        *,
        username: str = "hub@example.com",
        password: str = "warehouse-key-1",
        webhook_secret: str = "shared-signature-1",
        account: str = "northwind",
        warehouses: Mapping[str, str] | None = None,
        hub_url: str | None = None,
        credits: float = 4004,
        credits_per_second: float = 60,
        requests_per_five_minutes: int = 7000,
        auto_ship: bool = False,
        ship_after_ms: int = 200,
        seed: int = 1,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(
            webhook_secret=webhook_secret,
            warehouses=warehouses,
            hub_url=hub_url,
            auto_ship=auto_ship,
            ship_after_ms=ship_after_ms,
            seed=seed,
            faults=faults,
            now=now,
        )
        self.username, self.password, self.account = username, password, account
        self.quota = Quota(now, credits, credits_per_second, requests_per_five_minutes)
        self.refuse_cancel = 0.0
        self.tokens: dict[str, datetime] = {}
        self.snapshot_status = "success"
        self.snapshots: dict[str, str] = {}
        self._prices: dict[str, int] = {}
        self._files: dict[str, bytes] = {}

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Token and GraphQL."""

        @post("/auth/token", status_code=200)
        async def token(request: Anyone) -> Response[bytes]:
            return self._token(await request.body())

        @post("/graphql", status_code=200)
        async def graphql(request: Anyone) -> Response[bytes]:
            return self._graphql(request.headers.get("authorization", ""), await request.body())

        @get("/snapshots/{name:str}")
        async def file(request: Anyone) -> Response[bytes]:
            body = self._files.get(request.path_params["name"])
            return _json({"error": "no such file"}, 404) if body is None else Response(body, media_type=JSON)

        return [token, graphql, file]

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """A lack of credits, which is no HTTP error."""
        return 200, {"content-type": JSON}, msgspec.json.encode(_failed(_lacking(10, 0, 1), "graphql"))

    def _token(self, body: bytes) -> Response[bytes]:
        given = msgspec.json.decode(body, type=dict[str, str])
        if (given.get("username"), given.get("password")) != (self.username, self.password):
            refused = {"error": "invalid_grant", "error_description": "Wrong email or password."}
            return _json(refused, 403)
        token = f"{self.random.getrandbits(160):040x}"
        self.tokens[token] = self.now() + TOKEN_LIFE
        seconds = int(TOKEN_LIFE.total_seconds())
        return _json({"access_token": token, "expires_in": seconds, "refresh_token": token, "token_type": "Bearer"})

    def _graphql(self, authorization: str, body: bytes) -> Response[bytes]:
        until = self.tokens.get(authorization.removeprefix("Bearer "))
        if until is None or until <= self.now():
            return _json({"message": "Unauthorized"}, 401)
        call = msgspec.json.decode(body, type=Call)
        operation = getattr(self, f"_do_{call.operationName}", None)
        if operation is None:
            self.violations.append(f"unknown operation {call.operationName}")
            return _json({"errors": [{"message": f"Unknown operation {call.operationName}"}]}, 400)
        if self.quota.too_many_requests():
            self.violations.append("more requests than allowed in five minutes")
            return _json({"message": "Too many requests"}, 429)
        if self.quota.ignored():
            self.violations.append(f"{call.operationName} sent while told to wait for credits")
        try:
            return _json({"data": self._priced(call, operation)})
        except Said as said:
            return _json(_failed(said, call.operationName))

    def _priced(self, call: Call, operation: Callable[[dict[str, object]], Json]) -> Json:
        """Run an operation when its price is there; charge for what it returned."""
        required = self._prices.get(call.query) or self._prices.setdefault(call.query, price(call.query))
        wait = self.quota.missing(required)
        if wait:
            raise _lacking(required, int(self.quota.credits), math.ceil(wait))
        data = operation(call.variables)
        charged = min(required, _returned(data) + (10 if call.query.startswith("mutation") else 0))
        self.quota.credits -= charged
        for result in data.values():
            if isinstance(result, dict):
                result |= {"request_id": f"{self.random.getrandbits(96):024x}", "complexity": charged}
        data.update({"user_quota": self._quota()} if "user_quota" in call.query else {})
        return data

    def _quota(self) -> Json:
        return {
            "credits_remaining": int(self.quota.credits),
            "max_available": int(self.quota.capacity),
            "increment_rate": int(self.quota.per_second),
        }

    def _do_order_create(self, variables: dict[str, object]) -> Json:
        data = variables.get("data")
        try:
            order = self.take_order(data if isinstance(data, dict) else {})
        except msgspec.ValidationError as error:
            raise Said(f"Invalid input: {error}", 1) from error
        return {"order_create": {"order": documents.head(order)}}

    def _do_order_cancel(self, variables: dict[str, object]) -> Json:
        data = variables.get("data")
        order = self.find(str(data["order_id"]) if isinstance(data, dict) else "")
        if order.status == "canceled":
            raise Said("Order is already canceled", 1)
        if order.shipments:
            raise Said("Order is already fulfilled", 1)
        if self.random.random() < self.refuse_cancel:
            raise Said("Order is being packed and can't be canceled", 1)
        self.cancel(order)
        return {"order_cancel": {"order": documents.head(order)}}

    def _do_orders_by_reference(self, variables: dict[str, object]) -> Json:
        orders = self.found(str(variables["partner_order_id"]))[:5]
        return {"orders": {"data": {"edges": [{"node": documents.state(order)} for order in orders]}}}

    def _do_order_state(self, variables: dict[str, object]) -> Json:
        return {"order": {"data": documents.state(self.find(str(variables["id"])))}}

    def _do_order_lines(self, variables: dict[str, object]) -> Json:
        return {"order": {"data": documents.with_lines(self.find(str(variables["id"])), 250, _after(variables))}}

    def _do_orders_updated(self, variables: dict[str, object]) -> Json:
        since, after = _time(variables.get("updated_from")), int(str(variables.get("after") or 0))
        shop = variables.get("shop_name")
        matching = [order for order in self.updated(since) if order.number > after and shop in (None, order.shop_name)]
        matching.sort(key=lambda order: order.number)
        page = matching[:20]
        end = str(page[-1].number) if page else None
        nodes = [documents.with_lines(order, 30) for order in page]
        return {"orders": documents.paged(nodes, end, len(matching) > len(page))}

    def _do_shipments_since(self, variables: dict[str, object]) -> Json:
        since, after = _time(variables.get("date_from")), variables.get("after")
        start = 0 if since is None else bisect.bisect_left(self.shipments, since, key=lambda item: item.created_at)
        start = start if after is None else int(str(after))
        nodes = [documents.shipment_node(shipment, 30) for shipment in self.shipments[start : start + 20]]
        end = start + len(nodes)
        return {"shipments": documents.paged(nodes, str(end), end < len(self.shipments))}

    def _do_shipment_whole(self, variables: dict[str, object]) -> Json:
        number = int(documents.number_of(str(variables["id"])))
        place = bisect.bisect_left(self.shipments, number, key=lambda item: item.number)
        if place == len(self.shipments) or self.shipments[place].number != number:
            raise Said("Shipment not found", 5)
        return {"shipment": {"data": documents.shipment_node(self.shipments[place], 250, _after(variables))}}

    def _do_warehouse_products_page(self, variables: dict[str, object]) -> Json:
        since, start = _time(variables.get("updated_from")), int(str(variables.get("after") or 0))
        nodes: list[Json] = []
        for (warehouse, sku), shelf in islice(self.inventory.items(), start, None):
            start += 1
            if since is None or shelf.updated_at >= since:
                nodes.append(documents.warehouse_product(warehouse, sku, shelf))
            if len(nodes) == 100:
                break
        return {"warehouse_products": documents.paged(nodes, str(start), start < len(self.inventory))}

    def _do_inventory_generate_snapshot(self, variables: dict[str, object]) -> Json:
        data = variables.get("data")
        warehouse = documents.number_of(str(data["warehouse_id"] if isinstance(data, dict) else ""))
        if warehouse not in self.warehouses:
            raise Said("Warehouse not found", 5)
        identity = f"{self.random.getrandbits(96):024x}"
        self.snapshots[identity] = warehouse
        return {"inventory_generate_snapshot": {"snapshot": {"snapshot_id": identity, "status": "enqueued"}}}

    def _do_inventory_snapshot(self, variables: dict[str, object]) -> Json:
        identity = str(variables["snapshot_id"])
        warehouse, status = self.snapshots.get(identity), self.snapshot_status
        if warehouse is None:
            raise Said("Snapshot not found", 5)
        if status != "success":
            error = "the job ran out of memory" if status == "error" else None
            return {"inventory_snapshot": documents.snapshot(identity, status, None, error)}
        shelves = [(sku, shelf) for (place, sku), shelf in self.inventory.items() if place == warehouse]
        self._files[identity] = msgspec.json.encode(documents.snapshot_file(ACCOUNT_NUMBER, warehouse, shelves))
        url = f"{self.base_url}/snapshots/{identity}"
        return {"inventory_snapshot": documents.snapshot(identity, status, url, None)}

    def _do_returns_since(self, variables: dict[str, object]) -> Json:
        since, start = _time(variables.get("date_from")), int(str(variables.get("after") or 0))
        found = [made for made in self.returns if since is None or made.created_at >= since]
        nodes = [documents.return_node(made) for made in found[start : start + 20]]
        end = start + len(nodes)
        return {"returns": documents.paged(nodes, str(end), end < len(found))}

    def _do_account_probe(self, variables: dict[str, object]) -> Json:
        places = [
            {"id": documents.global_id("Warehouse", number), "legacy_id": int(number), "identifier": name}
            for number, name in self.warehouses.items()
        ]
        node = {
            "id": documents.global_id("Account", ACCOUNT_NUMBER),
            "legacy_id": ACCOUNT_NUMBER,
            "email": self.username,
            "username": self.account,
            "status": "active",
            "warehouses": places,
        }
        return {"account": {"data": node}}


def _lacking(required: int, left: int, seconds: int) -> Said:
    message = (
        f"There are not enough credits to perform the requested operation, which requires {required} credits, but "
        f"there are only {left} left. In {seconds} seconds you will have enough credits to perform the operation"
    )
    wait = f"{seconds} seconds"
    return Said(message, 30, required_credits=required, remaining_credits=left, time_remaining=wait)


def _failed(said: Said, operation: str) -> Json:
    error = {**said.error, "operation": operation, "field": operation, "request_id": "5da7dc13f3079f0def208711"}
    return {"errors": [error], "data": {operation: None}}


def _returned(data: object) -> int:
    """Objects in an answer: what is charged."""
    if isinstance(data, dict):
        return ("id" in data or "sku" in data) + sum(_returned(value) for value in data.values())
    return sum(_returned(value) for value in data) if isinstance(data, list) else 0


def _time(raw: object) -> datetime | None:
    return datetime.fromisoformat(str(raw)).replace(tzinfo=UTC) if raw else None


def _json(content: object, status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(content), status_code=status, media_type=JSON)


def _after(variables: dict[str, object]) -> int:
    return int(str(variables.get("after") or 0))
