"""Amazon on loopback: tokens, orders, confirmations, listings, feeds and a queue, with a bucket per operation."""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import Request, Response, get, patch, post, put
from litestar.types import ControllerRouterHandler

from adapters.amazon.limits import PLANS
from adapters.amazon.simulator_books import US, Books, Listing, Order, Package
from adapters.amazon.simulator_desk import FeedDesk, errors
from adapters.amazon.simulator_documents import (
    issue,
    listing_document,
    order_change,
    order_document,
    participation,
    refund_transaction,
    stamp,
)
from adapters.amazon.simulator_feeds import FeedWork, apply
from adapters.amazon.simulator_queue import SIGNED, serve
from hub.sdk.testkit.simulator import Faults, Simulator

Anyone = Request[Any, Any, Any]
Answer = tuple[int, object]

TRANSACTIONS: Final = 100
"""On a page of the account."""
QUEUE: Final = "/000000000000/orders"
SHOPPER: Final = {
    "name": "Ida Marketplace",
    "addressLine1": "77 Pine Street",
    "city": "Seattle",
    "stateOrRegion": "WA",
    "postalCode": "98101",
    "countryCode": "US",
    "phone": "+12065550123",
    "addressType": "RESIDENTIAL",
}


class AmazonSimulator(Simulator):
    """The Selling Partner API for one app and one seller.

    `books` are the state, `work` processes feeds. A request beyond an operation's bucket is 429 and a violation. Every
    change of an order puts `copies` of its notification into the queue.
    """

    vendor = "amazon"

    def __init__(
        self,
        *,
        seller_id: str = "A3TH9S8BH6GOGM",
        client_id: str = "amzn1.application-oa2-client.simulated",
        client_secret: str,
        refresh_token: str,
        aws_access_key_id: str = "AKIASIMULATED",
        aws_secret_access_key: str = "",
        marketplaces: tuple[str, ...] = (US,),
        copies: int = 2,
        seed: int = 1,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now)
        self.seller_id = seller_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.refresh_token = refresh_token
        self.aws = (aws_access_key_id, aws_secret_access_key)
        self.marketplaces = marketplaces
        self.copies = copies
        self.page = 100
        self.subscribed = True
        self.books = Books(self.random)
        self.work = FeedWork(self.books, seller_id)
        self.desk = FeedDesk(self.books, marketplaces)
        self.plans = dict(PLANS)
        self._buckets: dict[str, tuple[float, datetime]] = {}
        self.codes: set[str] = set()
        """What sellers agreed to, not yet changed into a token."""
        self._tokens: dict[str, datetime] = {}
        self._pages: dict[str, list[str]] = {}

    # --- the customers -----------------------------------------------------------------------------------------------

    def sell(self, sku: str, *, quantity: int = 0, lead_time_days: int = 2) -> Listing:
        """Put a SKU on sale."""
        held: dict[str, object] = {"fulfillment_channel_code": "DEFAULT", "quantity": quantity}
        held["lead_time_to_ship_max_days"] = lead_time_days
        listing = self.books.listings[sku] = Listing(sku=sku, submitted=[held], quantity=quantity)
        return listing

    def place(self, lines: Sequence[tuple[str, int, Decimal]], **more: Any) -> Order:
        """A customer orders, and the queue hears of it."""
        order = self.books.place(lines, self.now(), **{"address": SHOPPER, **more})
        self.notify(order)
        return order

    def notify(self, order: Order) -> str:
        """Put an ORDER_CHANGE into the queue, as often as Amazon would; answers its body."""
        identity = f"notification-{self.books.number()}"
        body = msgspec.json.encode(order_change(order, self.seller_id, identity)).decode()
        self.books.enqueue(body, self.now(), self.copies)
        return body

    @property
    def queue_url(self) -> str:
        """The queue's address."""
        return f"{self.base_url}{QUEUE}"

    # --- routes ------------------------------------------------------------------------------------------------------

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """The calls our adapter makes, the token endpoint, the storage of documents and the queue."""

        @post("/auth/o2/token")
        async def token(request: Anyone) -> Response[bytes]:
            return self._token(request, await request.body())

        @get("/orders/2026-01-01/orders")
        async def search(request: Anyone) -> Response[bytes]:
            return self._serve(request, "searchOrders", lambda: self._search(request))

        @get("/orders/2026-01-01/orders/{order:str}")
        async def one(request: Anyone) -> Response[bytes]:
            return self._serve(request, "getOrder", lambda: self._order(request.path_params["order"]))

        @post("/orders/v0/orders/{order:str}/shipmentConfirmation")
        async def confirm(request: Anyone) -> Response[bytes]:
            body = await request.body()
            return self._serve(request, "confirmShipment", lambda: self._confirm(request.path_params["order"], body))

        @get("/listings/2021-08-01/items/{seller:str}/{sku:path}")
        async def listing(request: Anyone) -> Response[bytes]:
            return self._serve(request, "getListingsItem", lambda: self._listing(request))

        @patch("/listings/2021-08-01/items/{seller:str}/{sku:path}")
        async def change(request: Anyone) -> Response[bytes]:
            body = await request.body()
            return self._serve(request, "patchListingsItem", lambda: self._patch(request, body))

        @get("/sellers/v1/marketplaceParticipations")
        async def participations(request: Anyone) -> Response[bytes]:
            return self._serve(request, "getMarketplaceParticipations", self._participations)

        @get("/notifications/v1/subscriptions/{kind:str}")
        async def subscription(request: Anyone) -> Response[bytes]:
            return self._serve(request, "getSubscription", self._subscription)

        @get("/finances/2024-06-19/transactions")
        async def transactions(request: Anyone) -> Response[bytes]:
            return self._serve(request, "listTransactions", lambda: self._transactions(request))

        handlers: list[ControllerRouterHandler] = [token, search, one, confirm, listing, change, transactions]
        return [*handlers, participations, subscription, *self._feed_routes(), self._queue_route()]

    def _feed_routes(self) -> Sequence[ControllerRouterHandler]:
        @post("/feeds/2021-06-30/documents")
        async def place(request: Anyone) -> Response[bytes]:
            body = await request.body()
            return self._serve(request, "createFeedDocument", lambda: self.desk.place(body, self.base_url))

        @post("/feeds/2021-06-30/feeds")
        async def create(request: Anyone) -> Response[bytes]:
            body = await request.body()
            return self._serve(request, "createFeed", lambda: self.desk.create(body, self.now()))

        @get("/feeds/2021-06-30/feeds")
        async def listed(request: Anyone) -> Response[bytes]:
            return self._serve(request, "getFeeds", lambda: self.desk.listed(request.query_params))

        @get("/feeds/2021-06-30/feeds/{feed:str}")
        async def job(request: Anyone) -> Response[bytes]:
            return self._serve(request, "getFeed", lambda: self.desk.feed(request.path_params["feed"]))

        @get("/feeds/2021-06-30/documents/{document:str}")
        async def document(request: Anyone) -> Response[bytes]:
            return self._serve(
                request, "getFeedDocument", lambda: self.desk.document(request.path_params["document"], self.base_url)
            )

        @put("/storage/{document:str}")
        async def upload(request: Anyone) -> Response[bytes]:
            return self._upload(request, await request.body())

        @get("/storage/{document:str}")
        async def download(request: Anyone) -> Response[bytes]:
            return self._download(request)

        return [place, create, listed, job, document, upload, download]

    def _queue_route(self) -> ControllerRouterHandler:
        @post("/")
        async def queue(request: Anyone) -> Response[bytes]:
            return self._queue(request, await request.body())

        return queue

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """429 as Amazon answers it: without a Retry-After, and often without its rate."""
        return 429, {"content-type": "application/json"}, msgspec.json.encode(errors("QuotaExceeded", "You exceeded"))

    # --- every call --------------------------------------------------------------------------------------------------

    def _serve(self, request: Anyone, operation: str, answer: Callable[[], Answer]) -> Response[bytes]:
        now = self.now()
        rate, burst = self.plans[operation]
        if not self._granted(operation, rate, burst, now):
            self.violations.append(f"{operation}: beyond {rate} a second, burst {burst}")
            status, headers, body = self.throttled()
            return Response(body, status_code=status, headers=headers)
        if not request.headers.get("user-agent", "").startswith("Crossdock"):
            outcome: Answer = 400, errors("InvalidInput", "the User-Agent header is missing")
        elif self._tokens.get(request.headers.get("x-amz-access-token", ""), now) <= now:
            outcome = 401, errors("Unauthorized", "Access to requested resource is denied.")
        else:
            self.work.advance(now)
            outcome = answer()
        status, document = outcome
        body = b"" if document is None else msgspec.json.encode(document)
        headers = {"content-type": "application/json", "x-amzn-requestid": f"request-{self.books.number()}"}
        if status < 400:
            headers["x-amzn-ratelimit-limit"] = str(rate)
        return Response(body, status_code=status, headers=headers)

    def _granted(self, operation: str, rate: float, burst: int, now: datetime) -> bool:
        tokens, seen = self._buckets.get(operation, (float(burst), now))
        tokens = min(float(burst), tokens + (now - seen).total_seconds() * rate)
        granted = tokens >= 1
        self._buckets[operation] = (tokens - 1 if granted else tokens, now)
        return granted

    def _token(self, request: Anyone, body: bytes) -> Response[bytes]:
        """LWA reads the client in the body only."""
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            error = {"error": "invalid_client", "error_description": "Client authentication failed"}
            return _json(401, error)
        good = form.get("grant_type") == "refresh_token" and form.get("refresh_token") == self.refresh_token
        if form.get("grant_type") == "authorization_code" and form.get("code") in self.codes:
            self.codes.discard(form["code"])
            good = True
        if not good:
            error = {"error": "invalid_grant", "error_description": "The request has an invalid grant parameter"}
            return _json(400, error)
        token = f"Atza|{base64.b64encode(self.random.randbytes(24)).decode()}"
        self._tokens[token] = self.now() + timedelta(hours=1)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": 3600}
        return _json(200, {**answer, "refresh_token": self.refresh_token})

    # --- orders ------------------------------------------------------------------------------------------------------

    def _search(self, request: Anyone) -> Answer:
        query = request.query_params
        if ("createdAfter" in query) == ("lastUpdatedAfter" in query):
            return 400, errors("InvalidInput", "exactly one of createdAfter and lastUpdatedAfter")
        since = datetime.fromisoformat(str(query.get("lastUpdatedAfter") or query["createdAfter"]))
        if self.now() - since > timedelta(days=730):
            return 400, errors("InvalidInput", "the date is more than two years ago")
        until = self.now() - timedelta(minutes=2)
        token = query.get("paginationToken")
        if token is not None and token not in self._pages:
            return 400, errors("InvalidInput", "paginationToken is invalid or expired")
        ids = self._pages[token] if token else [order.id for order in self.books.changed(since)]
        size = min(int(query.get("maxResultsPerPage", "100")), 100, self.page)
        answer: dict[str, Any] = {"orders": [order_document(self.books.orders[one]) for one in ids[:size]]}
        if ids[size:]:
            following = f"page-{self.books.number()}"
            self._pages[following] = ids[size:]
            answer["pagination"] = {"nextToken": following}
        return 200, {**answer, "lastUpdatedBefore": stamp(until)}

    def _order(self, identity: str) -> Answer:
        order = self.books.orders.get(identity)
        if order is None:
            return 404, errors("NotFound", "The requested order was not found")
        return 200, {"order": order_document(order)}

    def _confirm(self, identity: str, body: bytes) -> Answer:
        order = self.books.orders.get(identity)
        document: dict[str, Any] = msgspec.json.decode(body)
        detail = document["packageDetail"]
        reference = detail["packageReferenceId"]
        if order is None or document["marketplaceId"] != order.marketplace:
            return 400, errors("InvalidInput", "the order is not in this marketplace")
        if not isinstance(reference, str) or not reference.isdigit() or int(reference) < 1:
            return 400, errors("InvalidInput", "packageReferenceId must be a positive number as a string")
        if datetime.fromisoformat(detail["shipDate"]) > self.now() + timedelta(minutes=5):
            return 400, errors("InvalidInput", "shipDate is in the future")
        if detail["carrierCode"] == "Other" and not detail.get("carrierName"):
            return 400, errors("InvalidInput", "carrierName is required")
        if order.status not in ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED"):
            return 400, errors("InvalidInput", f"the order is {order.status}")
        package = Package(
            reference=reference,
            tracking=detail["trackingNumber"],
            carrier=detail["carrierCode"],
            service=detail.get("shippingMethod"),
            shipped=detail["shipDate"],
            contents={row["orderItemId"]: row["quantity"] for row in detail["orderItems"]},
        )
        code = self.books.confirm(order, package, self.now())
        return (204, None) if code is None else (400, errors(code, "the package cannot be confirmed"))

    # --- listings ----------------------------------------------------------------------------------------------------

    def _listing(self, request: Anyone) -> Answer:
        listing = self.books.listings.get(_sku(request))
        if request.path_params["seller"] != self.seller_id:
            return 403, errors("Unauthorized", "Access to requested resource is denied.")
        if listing is None:
            return 404, errors("NOT_FOUND", "SKU not found")
        return 200, listing_document(listing, self.marketplaces[0], self.now())

    def _patch(self, request: Anyone, body: bytes) -> Answer:
        sku = _sku(request)
        listing, document = self.books.listings.get(sku), msgspec.json.decode(body)
        submission = {"sku": sku, "submissionId": f"{self.books.number():032x}"}
        if listing is None or listing.refuses:
            reason = "the listing does not exist" if listing is None else listing.refuses or ""
            return 200, {**submission, "status": "INVALID", "issues": [issue(reason)]}
        for one in document["patches"]:
            apply(listing, one["op"], one["value"])
        return 200, {**submission, "status": "ACCEPTED", "issues": []}

    # --- documents of feeds ------------------------------------------------------------------------------------------

    def _upload(self, request: Anyone, body: bytes) -> Response[bytes]:
        """The storage checks the signature of the URL, which covers the content type, and wants nobody's token."""
        document = self.books.documents.get(request.path_params["document"])
        if request.headers.get("x-amz-access-token") or request.headers.get("authorization"):
            self.violations.append("storage: credentials were sent to a presigned address")
        if document is None or request.headers.get("content-type") != document.content_type:
            return Response(b"<Error><Code>SignatureDoesNotMatch</Code></Error>", status_code=403)
        document.body = body
        return Response(b"", status_code=200)

    def _download(self, request: Anyone) -> Response[bytes]:
        document = self.books.documents.get(request.path_params["document"])
        if document is None or document.body is None:
            return Response(b"<Error><Code>NoSuchKey</Code></Error>", status_code=404)
        return Response(document.body, status_code=200, headers={"content-type": document.content_type})

    # --- account and queue -------------------------------------------------------------------------------------------

    def _participations(self) -> Answer:
        return 200, {"payload": [participation(marketplace) for marketplace in self.marketplaces]}

    def _transactions(self, request: Anyone) -> Answer:
        query = request.query_params
        order, after = query.get("relatedIdentifierValue"), query.get("postedAfter")
        since = datetime.fromisoformat(after) if after else None
        found = [
            refund_transaction(refund, self.seller_id, name)
            for name, given in self.books.refunds.items()
            for refund in given
            if order in (None, name) and (since is None or refund.at >= since)
        ]
        begin = int(query.get("nextToken", "0"))
        payload: dict[str, Any] = {"transactions": found[begin : begin + TRANSACTIONS]}
        if begin + TRANSACTIONS < len(found):
            payload["nextToken"] = str(begin + TRANSACTIONS)
        return 200, {"payload": payload}

    def _subscription(self) -> Answer:
        if not self.subscribed:
            return 404, errors("NotFound", "no subscription")
        known = {"subscriptionId": "subscription-1", "payloadVersion": "1.0", "destinationId": "destination-1"}
        return 200, {"payload": known}

    def _queue(self, request: Anyone, body: bytes) -> Response[bytes]:
        headers = {name: request.headers.get(name, "") for name in (*SIGNED, "authorization")}
        return _json(*serve(self.books, self.aws, headers, body, self.now()))


def _json(status: int, document: object) -> Response[bytes]:
    return Response(msgspec.json.encode(document), status_code=status, headers={"content-type": "application/json"})


def _sku(request: Anyone) -> str:
    """A SKU may hold slashes, which arrive decoded."""
    return str(request.path_params["sku"]).removeprefix("/")
