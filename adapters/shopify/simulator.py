"""A Shopify shop on loopback: its webhooks and its Admin API, over the books of `simulator_shop`."""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from litestar import Request, Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from adapters.shopify import simulator_bodies as bodies
from adapters.shopify.documents import OPERATIONS
from adapters.shopify.operation import Operation, dated
from adapters.shopify.simulator_admin import HANDLERS, Invalid
from adapters.shopify.simulator_books import ShopJob, ShopLocation, ShopOrder, ShopVariant
from adapters.shopify.simulator_bulk import BULK_HANDLERS, ShopExport, storage
from adapters.shopify.simulator_goods import Edited
from adapters.shopify.simulator_holds import HOLD_HANDLERS, work_body
from adapters.shopify.simulator_hooks import HOOK_HANDLERS, ShopSubscription
from adapters.shopify.simulator_levels import LEVEL_HANDLERS
from adapters.shopify.simulator_money import MONEY_HANDLERS
from adapters.shopify.simulator_oauth import Grants
from adapters.shopify.simulator_purchasers import PURCHASER_HANDLERS
from adapters.shopify.simulator_shop import Shop
from adapters.shopify.simulator_stock import STOCK_HANDLERS
from adapters.shopify.simulator_tracking import TRACKING_HANDLERS
from hub.sdk.testkit.simulator import Sent
from hub.sdk.webhook import hmac_sha256

ALL_SCOPES: Final = frozenset(
    {
        "read_orders",
        "write_orders",
        "read_all_orders",
        "read_customers",
        "read_returns",
        "read_products",
        "read_inventory",
        "write_inventory",
        "read_locations",
        "read_payment_terms",
        "write_merchant_managed_fulfillment_orders",
    }
)
SUBSCRIBED: Final = frozenset(
    {
        "orders/create",
        "orders/updated",
        "orders/edited",
        "orders/cancelled",
        "orders/fulfilled",
        "orders/partially_fulfilled",
        "orders/risk_assessment_changed",
        "refunds/create",
        "fulfillments/create",
        "fulfillment_orders/placed_on_hold",
        "fulfillment_orders/hold_released",
    }
)
"""Topics that the hub asks for."""

IN_FLIGHT: Final = timedelta(seconds=1)
"""Calls that left before the first THROTTLED came back are nobody's fault."""

_DENIED: Final = {
    "CrossdockOrder": "read_orders",
    "CrossdockOrders": "read_orders",
    "CrossdockOrderOfWork": "_fulfillment_orders",
    "CrossdockRunBulk": "read_orders",
    "CrossdockPurchasers": "read_payment_terms",
    "CrossdockFulfillmentOrders": "read_orders",
    "CrossdockCancel": "write_orders",
    "CrossdockTransactions": "read_orders",
    "CrossdockCapture": "write_orders",
    "CrossdockVoid": "write_orders",
    "CrossdockRefund": "write_orders",
    "CrossdockFulfill": "_fulfillment_orders",
    "CrossdockMove": "_fulfillment_orders",
    "CrossdockTrack": "_fulfillment_orders",
    "CrossdockVariants": "read_products",
    "CrossdockSetAvailable": "write_inventory",
    "CrossdockLocations": "read_locations",
}
"""Scope (or its ending) without which an operation is refused."""
_HANDLERS: Final = (
    HANDLERS
    | LEVEL_HANDLERS
    | MONEY_HANDLERS
    | HOOK_HANDLERS
    | STOCK_HANDLERS
    | TRACKING_HANDLERS
    | BULK_HANDLERS
    | HOLD_HANDLERS
    | PURCHASER_HANDLERS
)
_BY_NAME: Final = {operation.name: operation for operation in OPERATIONS}
_REQUIRED: Final = re.compile(r"\$(\w+): [\w\[\]!]+!(?=[,)\s])")


class _Call(msgspec.Struct, rename="camel"):
    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = {}


_call = msgspec.json.Decoder(_Call)


class ShopifySimulator(Shop):
    """Accepts one access token, signs with one client secret.

    `hub_url` is where webhooks of `topics` go; without it none is sent. Cost points: `bucket` and `restore_per_second`
    are the plan's (2000 and 100 standard, 20000 and 1000 Plus).
    """

    vendor = "shopify"

    def __init__(
        self,
        *,
        client_secret: str,
        access_token: str,
        client_id: str = "crossdock-app",
        shop: str = "crossdock.myshopify.com",
        title: str = "Northwind Outfitters",
        locations: Sequence[ShopLocation] = (ShopLocation(id=501, name="Main warehouse"),),
        variants: Sequence[ShopVariant] = (),
        currency: str = "USD",
        scopes: Collection[str] = ALL_SCOPES,
        topics: Collection[str] = SUBSCRIBED,
        api_version: str = "2026-04",
        bucket: float = 2000,
        restore_per_second: float = 100,
        job_polls: int = 0,
        ties: bool = False,
        hub_url: str | None = None,
        **base: Any,
    ) -> None:
        super().__init__(locations=locations, currency=currency, ties=ties, **base)
        self.client_secret, self.access_token = client_secret, access_token
        self.shop, self.title, self.hub_url = shop, title, hub_url
        self.scopes, self.topics, self.api_version = set(scopes), set(topics), api_version
        self.bucket, self.restore_per_second, self.job_polls = bucket, restore_per_second, job_polls
        self.grants = Grants(client_id, client_secret, lambda: self.now())
        """Tokens besides the static one."""
        self.subscriptions: dict[int, ShopSubscription] = {}
        """The app's own; webhooks go to `hub_url` whatever they say."""
        self.topic_scopes = {"ORDERS_": "read_orders", "REFUNDS_": "read_orders", "RETURNS_": "read_returns"}
        """Scope that a topic needs, by the beginning of its name."""
        self.jobs: dict[str, ShopJob] = {}
        self.exports: dict[int, ShopExport] = {}
        self.idempotent: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self.levels_set = 0
        self.operations: Counter[str] = Counter()
        """Calls by operation."""
        self.search_fields = {"updated_at"}
        self.ignored_terms: list[str] = []
        """Search terms of the current call that mean nothing to the shop."""
        self.available_points = bucket
        self.charged = 0.0
        """What the current call really costs."""
        self._points_at = self.now()
        self._drought: dict[str, tuple[datetime, datetime]] = {}
        for variant in variants:
            self.add_variant(variant)

    # --- webhooks ----------------------------------------------------------------------------------------------------

    def tell(self, order: ShopOrder, *topics: str, edited: Edited | None = None) -> None:
        """Send a webhook per subscribed topic; all of one action share its event id."""
        event = self.uuid()
        for topic in topics:
            if self.hub_url is not None and topic in self.topics:
                self.deliver(self.signed(topic, self.body(order, topic, edited), event))

    def assess(self, order: int, level: str) -> None:
        """Somebody assesses an order's risk; the order itself does not change by it."""
        found = self.orders[order]
        found.risk = level
        self.tell(found, "orders/risk_assessment_changed")

    def body(self, order: ShopOrder, topic: str, edited: Edited | None = None) -> bytes:
        """Body of a topic, as the books are now."""
        made = self.fulfilments[order.id]
        if topic == "orders/edited":
            return bodies.edit_body(order, self.next_id(), *(edited or ({}, {})))
        if topic == "orders/risk_assessment_changed":
            return bodies.risk_body(order)
        if topic.startswith("fulfillment_orders/"):
            return work_body(order)
        if topic.startswith("returns/"):
            return bodies.return_body(order, self.next_id(), topic)
        if topic == "fulfillments/create":
            return bodies.encode(bodies.fulfilment_body(order, made[-1]))
        if topic == "refunds/create":
            return bodies.encode(bodies.refund_body(order, order.refunds[-1]))
        return bodies.order_body(order, made, self.shop)

    def signed(self, topic: str, body: bytes, event: str) -> Sent:
        """A webhook with all its headers."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": signature(self.client_secret, body),
            "X-Shopify-Shop-Domain": self.shop,
            "X-Shopify-API-Version": self.api_version,
            "X-Shopify-Webhook-Id": self.uuid(),
            "X-Shopify-Event-Id": event,
            "X-Shopify-Triggered-At": self.now().isoformat().replace("+00:00", "Z"),
            "X-Shopify-Name": f"crossdock-{topic.replace('/', '-')}",
        }
        return Sent(url=self.hub_url or "", headers=headers, body=body)

    # --- the Admin API -----------------------------------------------------------------------------------------------

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """One endpoint per API version."""

        @post("/admin/api/{version:str}/graphql.json", status_code=200)
        async def graphql(request: Request[Any, Any, Any], version: FromPath[str]) -> Response[bytes]:
            token = request.headers.get("x-shopify-access-token", "")
            status, answer = self.answer(token, version, await request.body())
            return Response(answer, status_code=status, media_type="application/json")

        @post("/admin/oauth/access_token", status_code=200)
        async def token(request: Request[Any, Any, Any]) -> Response[bytes]:
            status, answer = self.grants.answer(request.headers.get("content-type", ""), await request.body())
            return Response(bodies.encode(answer), status_code=status, media_type="application/json")

        return [graphql, token, storage(self)]

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """THROTTLED, on HTTP 200."""
        return 200, {"content-type": "application/json"}, bodies.encode(_throttled(self._cost(10, None, 0)))

    def answer(self, token: str, version: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of a call."""
        if not (self.access_token and token == self.access_token) and not self.grants.good(token):
            wrong = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return 401, bodies.encode({"errors": wrong})
        if version != self.api_version:
            return 404, bodies.encode({"errors": "Not Found"})
        try:
            call = _call.decode(body)
        except msgspec.MsgspecError:
            return 400, bodies.encode({"errors": {"query": "Required parameter missing or invalid"}})
        operation = _BY_NAME.get(call.operation_name or "")
        if operation is None or dated(operation, {}, self.api_version)[0] != call.query:
            return 200, bodies.encode(_failed("This document is not known to the simulator.", "undefinedOperation"))
        return 200, bodies.encode(self._run(operation, call.variables))

    def _run(self, operation: Operation, variables: Mapping[str, Any]) -> dict[str, Any]:
        self.operations[operation.name] += 1
        if not self._admitted(operation):
            return _throttled(self._cost(operation.worst, None, self.available_points))
        for name in _REQUIRED.findall(dated(operation, {}, self.api_version)[0]):
            if variables.get(name) is None:
                told = f"Variable ${name} of required type was provided invalid value"
                return _failed(told, "INVALID_VARIABLE")
        denied = _DENIED.get(operation.name)
        if denied is not None and not any(scope.endswith(denied) for scope in self.scopes):
            return _failed(f"Access denied. Required access: `{denied}` access scope.", "ACCESS_DENIED")
        self.ignored_terms.clear()
        self.charged = operation.cost
        try:
            data = _HANDLERS[operation.name](self, variables)
        except Invalid as error:
            return _failed(str(error), "INVALID_FIELD_ARGUMENTS")
        except msgspec.ValidationError as error:
            return _failed(f"Variable was provided invalid value: {error}", "INVALID_VARIABLE")
        self.available_points -= self.charged
        extensions = self._cost(operation.worst, self.charged, self.available_points)
        if self.ignored_terms:
            warning = {"field": "query", "message": "Invalid search field for this query.", "code": "invalid_field"}
            extensions["search"] = [{"query": term, "warnings": [warning]} for term in self.ignored_terms]
        return {"data": data, "extensions": extensions}

    def _admitted(self, operation: Operation) -> bool:
        """Let in by worst cost, charge the real one; who comes back too early breaks the limit."""
        now = self.now()
        gained = max(0.0, (now - self._points_at).total_seconds()) * self.restore_per_second
        self.available_points, self._points_at = min(self.bucket, self.available_points + gained), now
        if operation.worst <= self.available_points:
            self._drought.pop(operation.name, None)
            return True
        began, until = self._drought.get(operation.name, (now, now))
        if began + IN_FLIGHT < now < until:
            early = (until - now).total_seconds()
            self.violations.append(f"{operation.name} came back {early:.1f} s before the bucket could hold it")
        if now >= until:
            missing = (operation.worst - self.available_points) / self.restore_per_second
            self._drought[operation.name] = (now, now + timedelta(seconds=missing))
        return False

    def _cost(self, worst: float, actual: float | None, available: float) -> dict[str, Any]:
        status = {
            "maximumAvailable": self.bucket,
            "currentlyAvailable": int(available),
            "restoreRate": self.restore_per_second,
        }
        return {"cost": {"requestedQueryCost": worst, "actualQueryCost": actual, "throttleStatus": status}}


def signature(secret: str, body: bytes) -> str:
    """Value of X-Shopify-Hmac-Sha256, also for an empty secret."""
    return b64encode(hmac_sha256(secret, body)).decode()


def _throttled(extensions: dict[str, Any]) -> dict[str, Any]:
    return {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": extensions}


def _failed(message: str, code: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
