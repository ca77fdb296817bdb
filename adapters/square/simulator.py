"""Square on loopback: its REST API over the books of `simulator_books`."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, route
from litestar.types import ControllerRouterHandler

from adapters.square.simulator_books import OVER, Books, Document, Refusal

Handler = Callable[["SquareSimulator", Sequence[str], dict[str, str], Document], Document]

MOST: Final = {"location_ids": 10, "order_ids": 100, "changes": 100, "object_ids": 1000}
"""Square's limits of lists."""
TOKEN_LIFE: Final = timedelta(days=30)
DAY: Final = timedelta(hours=24)
AHEAD: Final = timedelta(seconds=5)


class SquareSimulator(Books):
    """Accepts one application's grant. More than `calls_per_second` is answered 429 and counted as a violation.

    Faults besides those of every simulator: `html` answers this many requests with a page of HTML, `truncated` cuts
    this many answers in the middle, `error_inside` answers this many with 200 and errors; all act first. `hidden`
    orders are answered 404 that many times, as fresh ones may be. `forgetful`: updates answer 200 and change nothing.
    """

    vendor = "square"

    def __init__(
        self,
        *,
        application_id: str,
        application_secret: str,
        refresh_token: str,
        calls_per_second: int = 100,
        **books: Any,
    ) -> None:
        super().__init__(**books)
        self.application_id, self.application_secret = application_id, application_secret
        self.refresh_token = refresh_token
        self.tokens: dict[str, datetime] = {}
        self.codes: set[str] = set()
        """What sellers agreed to, not yet changed into a token."""
        self.calls_per_second = calls_per_second
        self.html = self.truncated = self.error_inside = 0
        self.hidden: dict[str, int] = {}
        self.forgetful = False
        self.answered: dict[str, tuple[bytes, Document]] = {}
        """By idempotency key: the body that came first, and its answer."""
        self.cursors: dict[str, tuple[bytes, int]] = {}
        """By cursor: the query that it belongs to, and where it goes on."""
        self._second: tuple[int, int] = (0, 0)

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Everything."""

        @route("/{path:path}", http_method=["GET", "POST", "PUT"])
        async def serve(request: Request[Any, Any, Any]) -> Response[bytes]:
            status, document = self._serve(request, await request.body())
            return self._spoiled(status, msgspec.json.encode(document))

        return [serve]

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """Square's 429 says no time."""
        fault = {"category": "RATE_LIMIT_ERROR", "code": "RATE_LIMITED", "detail": "Too many requests."}
        return 429, {"content-type": "application/json"}, msgspec.json.encode({"errors": [fault]})

    def _serve(self, request: Request[Any, Any, Any], body: bytes) -> tuple[int, Document]:
        path, query = request.scope["path"], dict(parse_qsl(request.scope["query_string"].decode()))
        try:
            document = msgspec.json.decode(body) if body else {}
            if path == "/oauth2/token":
                return 200, self._token(document)
            self._admit(request)
            self._within(document)
            for method, pattern, handler in HANDLERS:
                match = re.fullmatch(pattern, path)
                if match and method == request.method:
                    return 200, handler(self, match.groups(), query, document)
            raise Refusal("NOT_FOUND", f"no resource at {path}", status=404)
        except msgspec.MsgspecError:
            fault = {"category": "INVALID_REQUEST_ERROR", "code": "EXPECTED_JSON_BODY", "detail": "not JSON"}
            return 400, {"errors": [fault]}
        except Refusal as refusal:
            return refusal.status, {"errors": [refusal.fault]}

    def _spoiled(self, status: int, body: bytes) -> Response[bytes]:
        """The answer, or what a fault makes of it."""
        kind = "application/json"
        if self.html:
            self.html -= 1
            return Response(b"<!doctype html><html><body>Square is down</body></html>", media_type="text/html")
        if self.truncated:
            self.truncated -= 1
            return Response(body[: len(body) // 2], status_code=status, media_type=kind)
        if self.error_inside:
            self.error_inside -= 1
            fault = {"category": "API_ERROR", "code": "INTERNAL_SERVER_ERROR", "detail": "An internal error occurred."}
            return Response(msgspec.json.encode({"errors": [fault]}), status_code=200, media_type=kind)
        return Response(body, status_code=status, media_type=kind)

    # --- who may ask, and how much -----------------------------------------------------------------------------------

    def _token(self, document: Document) -> Document:
        kind = document.get("grant_type")
        if kind not in ("refresh_token", "authorization_code"):
            raise Refusal("INVALID_VALUE", "grant_type must be refresh_token", field="grant_type")
        client = (document.get("client_id"), document.get("client_secret"))
        good = document.get("refresh_token") == self.refresh_token
        if kind == "authorization_code":
            good = document.get("code") in self.codes
            self.codes.discard(str(document.get("code")))
        if client != (self.application_id, self.application_secret) or not good:
            raise Refusal("UNAUTHORIZED", "Not Authorized", status=401, kind="AUTHENTICATION_ERROR")
        token = f"EAAA-{self.new_id('T')}"
        self.tokens[token] = self.now() + TOKEN_LIFE
        until = self.tokens[token].isoformat(timespec="seconds").replace("+00:00", "Z")
        said = {"access_token": token, "token_type": "bearer", "expires_at": until, "short_lived": False}
        return {**said, "merchant_id": self.merchant_id, "refresh_token": self.refresh_token}

    def _admit(self, request: Request[Any, Any, Any]) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        until = self.tokens.get(token)
        if until is None:
            raise Refusal(
                "UNAUTHORIZED", "This request could not be authorized.", status=401, kind="AUTHENTICATION_ERROR"
            )
        if until < self.now():
            raise Refusal("ACCESS_TOKEN_EXPIRED", "expired", status=401, kind="AUTHENTICATION_ERROR")
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", request.headers.get("square-version", "")):
            self.violations.append(f"{request.method} {request.scope['path']} without Square-Version")
        second, count = int(self.now().timestamp()), self._second[1]
        self._second = (second, count + 1 if self._second[0] == second else 1)
        if self._second[1] > self.calls_per_second:
            self.violations.append(f"{self._second[1]} calls in one second")
            raise Refusal("RATE_LIMITED", "Too many requests.", status=429, kind="RATE_LIMIT_ERROR")

    def _within(self, document: Document) -> None:
        for name, most in MOST.items():
            if len(document.get(name) or ()) > most:
                self.violations.append(f"{name}: {len(document[name])} of at most {most}")
                raise Refusal("ARRAY_LENGTH_TOO_LONG", f"Array must be at most {most} long", field=name)

    def _once(self, document: Document, act: Callable[[], Document]) -> Document:
        """An idempotency key's first answer again; another body under it is refused."""
        key, body = document.get("idempotency_key"), msgspec.json.encode(document)
        if not key:
            raise Refusal("MISSING_REQUIRED_PARAMETER", "Field must be set", field="idempotency_key")
        if key in self.answered:
            before, answer = self.answered[key]
            if before != body:
                raise Refusal("IDEMPOTENCY_KEY_REUSED", "The idempotency key was used with other parameters.")
            return answer
        answer = act()
        self.answered[key] = (body, msgspec.json.decode(msgspec.json.encode(answer)))
        return answer

    def _page(
        self, rows: list[Document], limit: int, query: bytes, cursor: str | None
    ) -> tuple[list[Document], str | None]:
        start = 0
        if cursor is not None:
            before, start = self.cursors.get(cursor, (b"", 0))
            if before != query:
                raise Refusal("INVALID_CURSOR", "The pagination cursor is invalid.", field="cursor")
        if start + limit >= len(rows):
            return rows[start:], None
        following = self.new_id("CUR")
        self.cursors[following] = (query, start + limit)
        return rows[start : start + limit], following

    # --- reads -------------------------------------------------------------------------------------------------------

    def merchant(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """RetrieveMerchant."""
        named = {"id": self.merchant_id, "business_name": "Dune Trading", "country": "US", "status": "ACTIVE"}
        return {"merchant": {**named, "currency": self.currency}}

    def list_locations(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """ListLocations."""
        return {"locations": [{"id": one, "name": name, "status": "ACTIVE"} for one, name in self.locations.items()]}

    def order(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """RetrieveOrder."""
        if self.hidden.get(parts[0], 0) > 0:
            self.hidden[parts[0]] -= 1
            raise Refusal("NOT_FOUND", f"Order not found for id {parts[0]}", status=404)
        return {"order": self._of(self.orders, parts[0], "Order")}

    def orders_by_id(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """BatchRetrieveOrders: what is not there is left out."""
        return {"orders": [self.orders[one] for one in document["order_ids"] if one in self.orders]}

    def search_orders(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """SearchOrders, by `updated_at` only; a filter by a time demands the sort by it."""
        wanted = document["query"]
        since = wanted["filter"]["date_time_filter"]["updated_at"]["start_at"]
        if wanted["sort"]["sort_field"] != "UPDATED_AT":
            raise Refusal("BAD_REQUEST", "sort_field must be UPDATED_AT", field="query.sort.sort_field")
        if document["limit"] > 1000:
            self.violations.append(f"limit {document['limit']}")
            raise Refusal("VALUE_TOO_HIGH", "limit is at most 1000", field="limit")
        start, places = datetime.fromisoformat(since), set(document["location_ids"])
        rows = [
            one
            for one in self.orders.values()
            if one["location_id"] in places and datetime.fromisoformat(one["updated_at"]) >= start
        ]
        rows.sort(key=lambda one: (one["updated_at"], one["id"]))
        same = msgspec.json.encode({**document, "cursor": None})
        page, cursor = self._page(rows, document["limit"], same, document.get("cursor"))
        answer: Document = {"orders": page} if page else {}
        return answer if cursor is None else {**answer, "cursor": cursor}

    def payment(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """GetPayment."""
        return {"payment": self._of(self.payments, parts[0], "Payment")}

    def refund_of(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """GetPaymentRefund."""
        return {"refund": self._of(self.refunds, parts[0], "Refund")}

    def list_refunds(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """ListPaymentRefunds."""
        since = datetime.fromisoformat(query["begin_time"]) if "begin_time" in query else None
        rows = [
            one for one in self.refunds.values() if since is None or datetime.fromisoformat(one["created_at"]) >= since
        ]
        same = msgspec.json.encode({**query, "cursor": None})
        page, cursor = self._page(rows, int(query.get("limit", "100")), same, query.get("cursor"))
        answer: Document = {"refunds": page} if page else {}
        return answer if cursor is None else {**answer, "cursor": cursor}

    def catalogue(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """BatchRetrieveCatalogObjects."""
        gone = document.get("include_deleted_objects", False)
        found = (self.variations.get(one) for one in document["object_ids"])
        objects = [self._object(one.id) for one in found if one is not None and (gone or not one.deleted)]
        return {"objects": objects} if objects else {}

    def search_catalogue(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """SearchCatalogObjects by a set of SKUs."""
        wanted = set(document["query"]["set_query"]["attribute_values"])
        objects = [self._object(one.id) for one in self.variations.values() if one.sku in wanted and not one.deleted]
        return {"objects": objects} if objects else {}

    def _object(self, name: str) -> Document:
        one = self.variations[name]
        data = {"sku": one.sku, "name": one.name, "price_money": self.money(one.price), "item_id": f"ITEM{one.id}"}
        more = {"pricing_type": "FIXED_PRICING"}
        said = {"type": "ITEM_VARIATION", "id": one.id, "version": 1, "is_deleted": one.deleted}
        return {**said, "updated_at": self.stamp(), "item_variation_data": {**data, **more}}

    def _of(self, books: dict[str, Document], name: str, what: str) -> Document:
        if name not in books:
            raise Refusal("NOT_FOUND", f"{what} not found for id {name}", status=404)
        return books[name]

    # --- writes ------------------------------------------------------------------------------------------------------

    def update_order(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """UpdateOrder: sparse. Without an idempotency key it answers 200 and changes nothing."""
        order, sparse = self._of(self.orders, parts[0], "Order"), document.get("order", {})
        if not document.get("idempotency_key") or self.forgetful:
            return {"order": order}
        return self._once(document, lambda: self._updated(order, sparse))

    def _updated(self, order: Document, sparse: Document) -> Document:
        if "version" not in order or order["state"] in OVER:
            raise Refusal("BAD_REQUEST", f"Order {order['id']} cannot be updated in state {order['state']}.")
        if sparse.get("version") != order["version"]:
            raise Refusal("VERSION_MISMATCH", f"Version {sparse.get('version')} is not {order['version']}", status=409)
        ways = {one["uid"]: one for one in order.get("fulfillments", [])}
        for change in sparse.get("fulfillments", []):
            if change["uid"] not in ways:
                raise Refusal("NOT_FOUND", "no such fulfillment", field="order.fulfillments[0].uid")
            self._advance(order, ways[change["uid"]], change)
        if sparse.get("state") == "CANCELED":
            if any(one["state"] not in OVER for one in ways.values()):
                raise Refusal("BAD_REQUEST", "Cancel the fulfillments first.", field="order.state")
            order["state"], order["closed_at"] = "CANCELED", self.stamp()
        self.touch(order)
        self.settle(order)
        self.edited(order)
        return {"order": order}

    def edited(self, order: Document) -> None:
        """Our own write is told to the subscription like anybody's."""
        self._tell(order, "updated")

    def _advance(self, order: Document, way: Document, change: Document) -> None:
        target = change.get("state", way["state"])
        if way["state"] in OVER and target != way["state"]:
            raise Refusal("BAD_REQUEST", f"{way['state']} is final", field="order.fulfillments[0].state")
        if target == "COMPLETED" and order["net_amount_due_money"]["amount"]:
            raise Refusal("BAD_REQUEST", "The order is not paid.", field="order.fulfillments[0].state")
        if len(change.get("metadata", {})) > 10:
            raise Refusal("TOO_MANY_MAP_ENTRIES", "at most 10 entries", field="order.fulfillments[0].metadata")
        way["state"] = target
        for name in ("shipment_details", "pickup_details", "metadata"):
            if name in change:
                way[name] = {**way.get(name, {}), **change[name]}

    def complete_payment(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """CompletePayment."""
        return self._finish(parts[0], "COMPLETED", "CAPTURED")

    def cancel_payment(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """CancelPayment."""
        return self._finish(parts[0], "CANCELED", "VOIDED")

    def _finish(self, name: str, status: str, card: str) -> Document:
        payment = self._of(self.payments, name, "Payment")
        if payment["status"] != "APPROVED":
            raise Refusal("BAD_REQUEST", f"Payment is {payment['status']}.")
        payment["status"], payment["updated_at"] = status, self.stamp()
        order = self.orders[payment["order_id"]]
        order["tenders"][0]["card_details"]["status"] = card
        self.touch(order)
        self.settle(order)
        self.notify("payment.updated", name, {"payment": payment})
        return {"payment": payment}

    def refund_payment(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """RefundPayment: pending at first."""
        amount = document["amount_money"]
        if amount["currency"] != self.currency:
            raise Refusal("CURRENCY_MISMATCH", f"not in {self.currency}", field="amount_money.currency")
        self._of(self.payments, document["payment_id"], "Payment")
        reason = document.get("reason", "")
        return self._once(document, lambda: {"refund": self.refund(document["payment_id"], amount["amount"], reason)})

    def change_inventory(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """BatchCreateInventoryChanges: physical counts; with one bad change nothing is counted."""
        return self._once(document, lambda: self._counted(document["changes"]))

    def _counted(self, changes: list[Document]) -> Document:
        for place, change in enumerate(changes):
            self._countable(change["physical_count"], f"changes[{place}].physical_count")
        counts = []
        for change in changes:
            one = change["physical_count"]
            where = (one["catalog_object_id"], one["location_id"])
            self.count(where, int(one["quantity"]))
            counts.append(self.counted(where))
        return {"counts": counts, "changes": []}

    def list_counts(self, parts: Sequence[str], query: dict[str, str], document: Document) -> Document:
        """BatchRetrieveInventoryCounts."""
        items = document.get("catalog_object_ids")
        since = datetime.fromisoformat(document.get("updated_after", "1970-01-01T00:00:00Z"))
        rows = [
            self.counted(where)
            for where in self.counts
            if where[1] in document["location_ids"] and (items is None or where[0] in items)
        ]
        rows = [one for one in rows if datetime.fromisoformat(one["calculated_at"]) > since]
        same = msgspec.json.encode({**document, "cursor": None})
        page, cursor = self._page(rows, document.get("limit", 100), same, document.get("cursor"))
        answer: Document = {"counts": page} if page else {}
        return answer if cursor is None else {**answer, "cursor": cursor}

    def _countable(self, one: Document, field: str) -> None:
        item = self.variations.get(one["catalog_object_id"])
        if item is None or item.deleted:
            raise Refusal("NOT_FOUND", "No such catalog object", field=f"{field}.catalog_object_id", status=404)
        if one["location_id"] not in self.locations:
            raise Refusal("NOT_FOUND", "No such location", field=f"{field}.location_id", status=404)
        at = datetime.fromisoformat(one["occurred_at"])
        if not self.now() - DAY <= at <= self.now() + AHEAD:
            raise Refusal("INVALID_TIME", "occurred_at is older than 24 hours or ahead", field=f"{field}.occurred_at")


HANDLERS: Final[Sequence[tuple[str, str, Handler]]] = (
    ("GET", r"/v2/merchants/me", SquareSimulator.merchant),
    ("GET", r"/v2/locations", SquareSimulator.list_locations),
    ("POST", r"/v2/orders/search", SquareSimulator.search_orders),
    ("POST", r"/v2/orders/batch-retrieve", SquareSimulator.orders_by_id),
    ("GET", r"/v2/orders/([^/]+)", SquareSimulator.order),
    ("PUT", r"/v2/orders/([^/]+)", SquareSimulator.update_order),
    ("POST", r"/v2/payments/([^/]+)/complete", SquareSimulator.complete_payment),
    ("POST", r"/v2/payments/([^/]+)/cancel", SquareSimulator.cancel_payment),
    ("GET", r"/v2/payments/([^/]+)", SquareSimulator.payment),
    ("GET", r"/v2/refunds", SquareSimulator.list_refunds),
    ("POST", r"/v2/refunds", SquareSimulator.refund_payment),
    ("GET", r"/v2/refunds/([^/]+)", SquareSimulator.refund_of),
    ("POST", r"/v2/catalog/batch-retrieve", SquareSimulator.catalogue),
    ("POST", r"/v2/catalog/search", SquareSimulator.search_catalogue),
    ("POST", r"/v2/inventory/changes/batch-create", SquareSimulator.change_inventory),
    ("POST", r"/v2/inventory/counts/batch-retrieve", SquareSimulator.list_counts),
)
