"""An EasyPost on loopback: offers, labels, refunds, and parcels that travel and tell of it by signed webhooks."""

import base64
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.types import ControllerRouterHandler

from adapters.easypost.settings import LISTS_PER_SECOND
from adapters.easypost.simulator_books import TARIFFS, Books, Journey, Shipment, Tracker
from adapters.easypost.simulator_documents import error_document, event_document, shipment_document, tracker_document
from adapters.easypost.webhook import PREFIX
from hub.sdk.testkit.simulator import Faults, Sent
from hub.sdk.testkit.working import Working
from hub.sdk.webhook import hmac_sha256

CARRIERS: Final = frozenset(tariff.carrier for tariff in TARIFFS)
LARGEST_PAGE: Final = 100

Anyone = Request[Any, Any, Any]
Answer = tuple[int, object]


class EasyPostSimulator(Working):
    """EasyPost's API v2 for one account.

    `books` are the state, `labels_bought` counts purchases by our reference. A shipment is bought once: again is 422.
    References are not unique. More than five lists a second are 429 and a violation. With `hub_url` set, trackers
    tell of their journey by signed webhooks.
    """

    vendor = "easypost"

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        hub_url: str | None = None,
        journey: Journey | None = None,
        seed: int = 1,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now)
        self.webhook_secret = webhook_secret
        self.hub_url = hub_url
        self.books = Books(journey or Journey())
        self.refused_carriers: set[str] = set()
        self._authorisation = "Basic " + base64.b64encode(f"{api_key}:".encode()).decode()
        self._lists: deque[datetime] = deque()
        self._events = 0

    @property
    def labels_bought(self) -> Counter[str]:
        """Purchases by our reference."""
        return self.books.labels_bought

    async def work(self) -> None:
        """Let the parcels travel."""
        self.advance()

    def advance(self) -> None:
        """Take the steps that are due now and send their webhooks."""
        for tracker, before in self.books.advance(self.now()):
            self._tell(tracker, before)

    def track_external(self, tracking: str, carrier: str) -> Tracker:
        """Follow a parcel that others shipped, as POST /trackers does."""
        known = tracking in self.books.trackers
        tracker = self.books.follow(tracking, carrier, self.now())
        if not known:
            self._tell(tracker, None)
        return tracker

    def signed(self, body: bytes) -> Sent:
        """A delivery of `body` to the hub."""
        key = unicodedata.normalize("NFKD", self.webhook_secret)
        headers = {"content-type": "application/json", "x-hmac-signature": PREFIX + hmac_sha256(key, body).hex()}
        return Sent(url=self.hub_url or "", headers=headers, body=body)

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """The calls our adapter makes."""

        @post("/v2/shipments")
        async def create(request: Anyone) -> Response[bytes]:
            return self._serve(request, await request.body(), self._create)

        @get("/v2/shipments")
        async def shipments(request: Anyone) -> Response[bytes]:
            return self._serve(request, b"{}", lambda _: self._list(dict(request.query_params)))

        @get("/v2/shipments/{name:str}")
        async def shipment(request: Anyone) -> Response[bytes]:
            name = request.path_params["name"]
            return self._serve(request, b"{}", lambda _: self._of(name, lambda found: self._shown(200, found)))

        @post("/v2/shipments/{name:str}/{verb:str}")
        async def act(request: Anyone) -> Response[bytes]:
            verb = {"buy": self._buy, "rerate": self._rerate, "refund": self._refund}[request.path_params["verb"]]
            name, body = request.path_params["name"], await request.body()
            return self._serve(request, body, lambda said: self._of(name, lambda found: verb(found, said)))

        @post("/v2/trackers")
        async def track(request: Anyone) -> Response[bytes]:
            return self._serve(request, await request.body(), self._track)

        return [create, shipments, shipment, act, track]

    # --- every call --------------------------------------------------------------------------------------------------

    def _serve(self, request: Anyone, body: bytes, answer: Callable[[dict[str, Any]], Answer]) -> Response[bytes]:
        self.advance()
        if request.headers.get("authorization") != self._authorisation:
            status, document = 401, error_document("APIKEY.INACTIVE", "This api key is no longer active.")
        else:
            status, found = answer(msgspec.json.decode(body or b"{}"))
            return self._answer(status, found)
        return self._answer(status, document)

    def _answer(self, status: int, document: object) -> Response[bytes]:
        return Response(msgspec.json.encode(document), status_code=status, headers={"content-type": "application/json"})

    def _of(self, name: str, answer: Callable[[Shipment], Answer]) -> Answer:
        named = self.books.by_reference.get(name)
        shipment = self.books.shipments.get(name) or (named[0] if named else None)
        if shipment is None:
            return 404, error_document("NOT_FOUND", "The requested resource could not be found.")
        return answer(shipment)

    def _shown(self, status: int, shipment: Shipment) -> Answer:
        return status, shipment_document(shipment, self.base_url)

    # --- shipments ---------------------------------------------------------------------------------------------------

    def _create(self, said: dict[str, Any]) -> Answer:
        document = said.get("shipment") or {}
        missing = [name for name in ("from_address", "to_address", "parcel") if not document.get(name)]
        if missing:
            return 422, error_document("PARAMETER.REQUIRED", f"Missing required parameter: {missing[0]}.")
        return self._shown(201, self.books.create(document, self._carriers(document), self.now()))

    def _carriers(self, document: dict[str, Any]) -> frozenset[str]:
        accounts = document.get("carrier_accounts")
        asked = {name for name in CARRIERS if accounts is None or f"ca_{name.lower()}" in accounts}
        return frozenset(asked - self.refused_carriers)

    def _list(self, query: dict[str, str]) -> Answer:
        now = self.now()
        while self._lists and self._lists[0] <= now - timedelta(seconds=1):
            self._lists.popleft()
        if len(self._lists) >= LISTS_PER_SECOND:
            self.violations.append(f"GET /v2/shipments: more than {LISTS_PER_SECOND} lists a second")
            return 429, error_document("RATE_LIMITED", "Too many requests.")
        self._lists.append(now)
        size = min(int(query.get("page_size", "20")), LARGEST_PAGE)
        bought, end = self.books.bought, len(self.books.bought)
        if "before_id" in query:
            end = max(0, self.books.shipments[query["before_id"]].bought_no - 1)
        start = query.get("start_datetime")
        since = datetime.fromisoformat(start) if start else None
        page = bought[max(0, end - size) : end][::-1]
        kept = [shipment for shipment in page if since is None or shipment.created >= since]
        rows = [shipment_document(shipment, self.base_url) for shipment in kept]
        return 200, {"shipments": rows, "has_more": end > size and len(kept) == len(page)}

    def _buy(self, shipment: Shipment, said: dict[str, Any]) -> Answer:
        if shipment.bought is not None:
            return 422, error_document("SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        wanted = (said.get("rate") or {}).get("id")
        offer = next((offer for offer in shipment.offers if offer.id == wanted), None)
        if offer is None:
            return 422, error_document("SHIPMENT.POSTAGE.FAILURE", "The rate does not belong to this shipment.")
        self._tell(self.books.buy(shipment, offer, self.now()), None)
        return self._shown(200, shipment)

    def _rerate(self, shipment: Shipment, said: dict[str, Any]) -> Answer:
        self.books.rate(shipment, self._carriers(shipment.document))
        return self._shown(200, shipment)

    def _refund(self, shipment: Shipment, said: dict[str, Any]) -> Answer:
        if shipment.bought is None:
            return 422, error_document("SHIPMENT.INVALID_PARAMS", "The shipment has no postage to refund.")
        self.books.refund(shipment)
        return self._shown(200, shipment)

    # --- trackers ----------------------------------------------------------------------------------------------------

    def _track(self, said: dict[str, Any]) -> Answer:
        wanted = said.get("tracker") or {}
        if not wanted.get("tracking_code"):
            return 422, error_document("TRACKER.CREATE.ERROR", "Tracking code is missing.")
        return 200, tracker_document(self.track_external(wanted["tracking_code"], wanted.get("carrier") or "USPS"))

    def _tell(self, tracker: Tracker, before: str | None) -> None:
        if self.hub_url is None:
            return
        self._events += 1
        self.deliver(self.signed(msgspec.json.encode(event_document(self._events, tracker, before, self.now()))))
