"""Multi-Channel Fulfillment on loopback: both versions of the API over one set of books."""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import Request, Response, get, post, put
from litestar.types import ControllerRouterHandler

from adapters.amazon_mcf.limits import PLANS
from adapters.amazon_mcf.simulator_books import Books, Line, Order, Pace
from adapters.amazon_mcf.simulator_documents import head_2020, order_2020, order_2026, summary
from adapters.amazon_mcf.v2020 import ROOT as OLD
from adapters.amazon_mcf.v2026 import POLICIES
from adapters.amazon_mcf.v2026 import ROOT as NEW
from hub.sdk.testkit.simulator import Faults, Simulator

Anyone = Request[Any, Any, Any]
Answer = tuple[int, object]

US: Final = "ATVPDKIKX0DER"
TOKEN_LIFE: Final = timedelta(seconds=30)
LONGEST_ID: Final = 40


class McfSimulator(Simulator):
    """The outbound APIs 2020-07-01 and 2026-07-04 and FBA inventory, for one app and one seller.

    `books` are the state. A request beyond an operation's bucket is 429 and a violation. An order id is unique; a SKU
    that Amazon does not have is 400. Tokens of inventory pages die after 30 s, tokens of lists when `page` changes.
    """

    vendor = "amazon_mcf"

    def __init__(
        self,
        *,
        seller_id: str = "A3TH9S8BH6GOGM",
        client_id: str = "amzn1.application-oa2-client.simulated",
        client_secret: str,
        refresh_token: str,
        marketplace: str = US,
        stock: Mapping[str, int] | None = None,
        pace: Pace | None = None,
        seed: int = 1,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now)
        self.seller_id = seller_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.refresh_token = refresh_token
        self.marketplace = marketplace
        self.books = Books(dict(stock or {}), pace or Pace(), self.random)
        self.page = 50
        self.answers_whole = False
        """2026-07-04 answers a create with 200 and the order, not with 202."""
        self.may_read = True
        """Whether the app's role lets it read single orders."""
        self.slow_cancels = False
        """2026-07-04 takes a cancel on and does nothing yet."""
        self.plans = dict(PLANS)
        self._buckets: dict[str, tuple[float, datetime]] = {}
        self._tokens: dict[str, datetime] = {}
        self._pages: dict[str, tuple[list[str], datetime]] = {}

    # --- routes ------------------------------------------------------------------------------------------------------

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Tokens, both versions, inventory."""

        @post("/auth/o2/token")
        async def token(request: Anyone) -> Response[bytes]:
            return self._token(await request.body())

        @get("/fba/inventory/v1/summaries")
        async def inventory(request: Anyone) -> Response[bytes]:
            return self._serve(request, "getInventorySummaries", lambda: self._inventory(request))

        return [token, inventory, *self._old_routes(), *self._new_routes()]

    def _old_routes(self) -> Sequence[ControllerRouterHandler]:
        @post(OLD)
        async def create(request: Anyone) -> Response[bytes]:
            body = await request.body()
            return self._serve(request, "createFulfillmentOrder", lambda: self._create_old(msgspec.json.decode(body)))

        @get(OLD)
        async def listed(request: Anyone) -> Response[bytes]:
            return self._serve(request, "listAllFulfillmentOrders", lambda: self._list_old(request))

        @get(OLD + "/{order:str}")
        async def one(request: Anyone) -> Response[bytes]:
            return self._serve(request, "getFulfillmentOrder", lambda: self._one_old(request))

        @put(OLD + "/{order:str}/cancel")
        async def cancel(request: Anyone) -> Response[bytes]:
            return self._serve(request, "cancelFulfillmentOrder", lambda: self._cancel(request, 200))

        return [create, listed, one, cancel]

    def _new_routes(self) -> Sequence[ControllerRouterHandler]:
        @post(NEW)
        async def create(request: Anyone) -> Response[bytes]:
            body = await request.body()
            return self._serve(request, "createOrder", lambda: self._create_new(msgspec.json.decode(body)))

        @get(NEW)
        async def listed(request: Anyone) -> Response[bytes]:
            return self._serve(request, "listOrders", lambda: self._list_new(request))

        @get(NEW + "/{order:str}")
        async def one(request: Anyone) -> Response[bytes]:
            return self._serve(request, "getOrder", lambda: self._one_new(request))

        @put(NEW + "/{order:str}/cancel")
        async def cancel(request: Anyone) -> Response[bytes]:
            return self._serve(request, "cancelOrder", lambda: self._cancel(request, 202))

        return [create, listed, one, cancel]

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """429 as Amazon answers it: without a Retry-After."""
        return 429, {"content-type": "application/json"}, msgspec.json.encode(_errors("QuotaExceeded", "You exceeded"))

    # --- every call --------------------------------------------------------------------------------------------------

    def _serve(self, request: Anyone, operation: str, answer: Callable[[], Answer]) -> Response[bytes]:
        now = self.now()
        rate, burst = self.plans[operation]
        tokens, seen = self._buckets.get(operation, (float(burst), now))
        tokens = min(float(burst), tokens + (now - seen).total_seconds() * rate)
        self._buckets[operation] = (tokens - 1 if tokens >= 1 else tokens, now)
        if tokens < 1:
            self.violations.append(f"{operation}: beyond {rate} a second, burst {burst}")
            status, headers, body = self.throttled()
            return Response(body, status_code=status, headers=headers)
        if self._tokens.get(request.headers.get("x-amz-access-token", ""), now) <= now:
            outcome: Answer = 403, _errors("InvalidToken", "The access token is invalid")
        else:
            self.books.advance(now)
            outcome = answer()
        status, document = outcome
        headers = {"content-type": "application/json", "x-amzn-requestid": f"request-{self.books.number()}"}
        if status < 400:
            headers["x-amzn-ratelimit-limit"] = str(rate)
        return Response(msgspec.json.encode(document), status_code=status, headers=headers)

    def _token(self, body: bytes) -> Response[bytes]:
        """LWA reads the client in the body only."""
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return _json(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        if form.get("refresh_token") != self.refresh_token:
            return _json(400, {"error": "invalid_grant", "error_description": "The refresh token is invalid"})
        token = f"Atza|{base64.b64encode(self.random.randbytes(24)).decode()}"
        self._tokens[token] = self.now() + timedelta(hours=1)
        return _json(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

    # --- creating ----------------------------------------------------------------------------------------------------

    def _create_old(self, document: dict[str, Any]) -> Answer:
        lines = [
            Line(id=row["sellerFulfillmentOrderItemId"], sku=row["sellerSku"], quantity=row["quantity"])
            for row in document["items"]
        ]
        fault = self._fault(document["sellerFulfillmentOrderId"], lines, document["destinationAddress"])
        if fault is not None:
            return 400, _errors("InvalidInput", fault)
        now = self.now()
        self.books.add(
            Order(
                id=document["sellerFulfillmentOrderId"],
                number=document["displayableOrderId"],
                policy=document["fulfillmentPolicy"],
                speed=document["shippingSpeedCategory"],
                version="2020-07-01",
                placed=datetime.fromisoformat(document["displayableOrderDate"]),
                received=now,
                changed=now,
                address=document["destinationAddress"],
                lines=lines,
            )
        )
        return 200, {}

    def _create_new(self, document: dict[str, Any]) -> Answer:
        lines = [
            Line(
                id=row["lineItemId"],
                sku=row["product"]["productIdentifier"]["amazonSku"],
                quantity=int(Decimal(row["amount"]["value"])),
            )
            for row in document["lineItems"]
        ]
        address = document["destination"]["deliveryAddress"]
        fault = self._fault(document["orderId"], lines, address)
        if fault is not None:
            return 400, _errors("InvalidInput", fault)
        now = self.now()
        configuration = document["fulfillmentConfiguration"]
        back = {word: name for name, word in POLICIES.items()}
        order = self.books.add(
            Order(
                id=document["orderId"],
                number=document["orderId"],
                policy=back[configuration["policy"]],
                speed=configuration["serviceLevel"]["serviceTiers"][0].title(),
                version="2026-07-04",
                placed=now,
                received=now,
                changed=now,
                address=address,
                lines=lines,
            )
        )
        if self.answers_whole:
            return 200, {"order": order_2026(order)}
        return 202, {"orderId": order.id, "status": "PROCESSING"}

    def _fault(self, order: str, lines: Sequence[Line], address: Mapping[str, str]) -> str | None:
        """Why Amazon refuses a new order, in its own words."""
        if len(order) > LONGEST_ID:
            return "the order id is longer than 40 characters"
        if order in self.books.orders:
            return f"The fulfillment order id {order} is not unique"
        if not all(address.get(name) for name in ("name", "addressLine1", "postalCode", "countryCode")):
            return "the destination address is incomplete"
        unknown = [line.sku for line in lines if line.sku not in self.books.stock]
        if unknown:
            return f"Item {unknown[0]} cannot be fulfilled: it is not in inventory"
        if len(lines) > 100 or sum(line.quantity for line in lines) > 250 or any(line.quantity < 1 for line in lines):
            return "the quantities are out of range"
        return None

    # --- reading -----------------------------------------------------------------------------------------------------

    def _one_old(self, request: Anyone) -> Answer:
        order = self._order(request, "2020-07-01")
        if not self.may_read:
            return 403, _errors("Unauthorized", "Access to requested resource is denied.")
        if order is None:
            return 400, _errors("InvalidInput", "The fulfillment order does not exist")
        return 200, order_2020(order, self.marketplace)

    def _one_new(self, request: Anyone) -> Answer:
        order = self._order(request, "2026-07-04")
        if not self.may_read:
            return 403, _errors("Unauthorized", "Access to requested resource is denied.")
        if order is None:
            return 404, _errors("NotFound", "The order was not found")
        return 200, {"order": order_2026(order)}

    def _list_old(self, request: Anyone) -> Answer:
        found = self._listed(request, "2020-07-01", "queryStartDate", "nextToken")
        if found is None:
            return 400, _errors("InvalidInput", "the token is invalid or expired")
        orders, token = found
        payload: dict[str, Any] = {"fulfillmentOrders": [head_2020(order, self.marketplace) for order in orders]}
        return 200, {"payload": {**payload, "nextToken": token} if token else payload}

    def _list_new(self, request: Anyone) -> Answer:
        found = self._listed(request, "2026-07-04", "updatedAfter", "pageToken")
        if found is None:
            return 400, _errors("InvalidInput", "the token is invalid or expired")
        orders, token = found
        answer: dict[str, Any] = {"orders": [order_2026(order) for order in orders]}
        return 200, {**answer, "pagination": {"nextToken": token}} if token else answer

    def _listed(
        self, request: Anyone, version: str, since_name: str, token_name: str
    ) -> tuple[list[Order], str | None] | None:
        token = request.query_params.get(token_name)
        if token is None:
            since = datetime.fromisoformat(str(request.query_params[since_name]))
            changed = self.books.restated(since) if version == "2020-07-01" else self.books.changed(since)
            ids = [order.id for order in changed if order.version == version]
        elif token in self._pages:
            ids = self._pages[token][0]
        else:
            return None
        orders = [self.books.orders[one] for one in ids[: self.page]]
        return orders, self._next(ids[self.page :])

    def _next(self, rest: list[str]) -> str | None:
        if not rest:
            return None
        token = f"page-{self.books.number()}"
        self._pages[token] = (rest, self.now())
        return token

    def _order(self, request: Anyone, version: str) -> Order | None:
        order = self.books.orders.get(request.path_params["order"])
        return order if order is not None and order.version == version else None

    def _cancel(self, request: Anyone, status: int) -> Answer:
        order = self._order(request, "2020-07-01" if status == 200 else "2026-07-04")
        if order is None:
            return 400, _errors("InvalidInput", "The order does not exist")
        if status == 202 and self.slow_cancels:
            return 202, {}
        if not self.books.cancel(order, self.now()):
            return 400, _errors("InvalidInput", f"The order is {order.status} and cannot be cancelled")
        return status, {}

    # --- inventory ---------------------------------------------------------------------------------------------------

    def _inventory(self, request: Anyone) -> Answer:
        query, now = request.query_params, self.now()
        token = query.get("nextToken")
        if token is not None:
            known = self._pages.get(token)
            if known is None or now - known[1] > TOKEN_LIFE:
                return 400, {"errors": [{"code": "InvalidInput", "message": "nextToken has expired"}]}
            skus = known[0]
        else:
            since = datetime.fromisoformat(query["startDateTime"]) if "startDateTime" in query else None
            skus = [sku for sku in self.books.stock if since is None or self.books.touched.get(sku, now) >= since]
        granularity = {"granularityType": "Marketplace", "granularityId": self.marketplace}
        rows = [summary(self.books, sku, now) for sku in skus[: self.page]]
        following = self._next(skus[self.page :])
        answer: dict[str, Any] = {"payload": {"granularity": granularity, "inventorySummaries": rows}}
        return 200, {**answer, "pagination": {"nextToken": following}} if following else answer


def _json(status: int, document: object) -> Response[bytes]:
    return Response(msgspec.json.encode(document), status_code=status, headers={"content-type": "application/json"})


def _errors(code: str, message: str) -> dict[str, object]:
    return {"errors": [{"code": code, "message": message, "details": ""}]}
