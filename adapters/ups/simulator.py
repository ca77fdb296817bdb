"""A UPS on loopback: tokens, rates, labels, voids, tracking, and parcels that travel and tell of it by alerts."""

import base64
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.types import ControllerRouterHandler

from adapters.ups.settings import CALLS_PER_SECOND, TOKEN
from adapters.ups.simulator_books import (
    Books,
    Journey,
    Parcel,
    Scan,
    Shipment,
    abroad,
    offered,
    packages,
    price,
    references,
)
from adapters.ups.simulator_documents import (
    alert_document,
    error_document,
    head,
    rated_document,
    recovered_document,
    shipped_document,
    token_document,
    tracked_document,
    unknown_document,
    voided_document,
)
from adapters.ups.simulator_wire import Refusal, checked_ship, single
from adapters.ups.webhook import CREDENTIAL
from hub.sdk.testkit.simulator import Faults, Sent
from hub.sdk.testkit.working import Working

PER_SECOND: Final = 2 * CALLS_PER_SECOND
"""Calls that this simulator takes within any second."""
TOKEN_LIVES: Final = timedelta(seconds=14399)
MOST_TOKENS: Final = 20
"""Tokens alive at once: who fetches one per call is throttled (UPS-API/api-documentation#123)."""

Anyone = Request[Any, Any, Any]
Answer = tuple[int, object]
Handler = Callable[[dict[str, Any], dict[str, str]], object]


class UpsSimulator(Working):
    """UPS's OAuth, Rating, Shipping, Tracking and Track Alert APIs for one account.

    `books` are the state, `labels_bought` counts shipments by our reference; UPS keeps references as often as they are
    given. More than `PER_SECOND` calls in a second and hoarded tokens are 429 and a violation. Knobs: `single` answers
    lists of one as one object, `polluted` writes carriage returns into codes and numbers, `unrecoverable` lets label
    recovery know nothing, `refused_services` are not offered, `expire_tokens` ends all tokens. With `hub_url` set,
    subscribed parcels tell of their journey.
    """

    vendor = "ups"

    def __init__(
        self,
        *,
        account: str,
        client_id: str,
        client_secret: str,
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
        self.books = Books(account, journey or Journey())
        self.single = False
        self.polluted = False
        self.unrecoverable = False
        self.refused_services: set[str] = set()
        self._app = "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._tokens: dict[str, datetime] = {}
        self._made = 0
        self._called: deque[datetime] = deque()

    @property
    def labels_bought(self) -> Counter[str]:
        """Shipments by our reference."""
        return self.books.labels_bought

    async def work(self) -> None:
        """Let the parcels travel."""
        self.advance()

    def advance(self) -> None:
        """Take the steps that are due now and send their alerts."""
        for parcel, scan in self.books.advance(self.now()):
            self.tell(parcel, scan)

    def expire_tokens(self) -> None:
        """End all tokens before their time."""
        self._tokens.clear()

    def tell(self, parcel: Parcel, scan: Scan) -> None:
        """Alert the hub of a scan, if the parcel is subscribed to."""
        if self.hub_url is not None and parcel.subscribed:
            self.deliver(self.shown(msgspec.json.encode(alert_document(parcel, scan))))

    def shown(self, body: bytes) -> Sent:
        """A delivery of `body` to the hub, with the credential."""
        headers = {
            "content-type": "application/json",
            "user-agent": "UPSPubSubTrackingService",
            CREDENTIAL: self.webhook_secret,
        }
        return Sent(url=self.hub_url or "", headers=headers, body=body)

    def throttled(self) -> tuple[int, dict[str, str], bytes]:
        """UPS does not say when."""
        body = msgspec.json.encode(error_document("10429", "Too Many Requests"))
        return 429, {"content-type": "application/json"}, body

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """The calls our adapter makes."""

        @post(TOKEN)
        async def token(request: Anyone) -> Response[bytes]:
            return self._token(request, (await request.body()).decode())

        @post("/api/rating/{version:str}/{option:str}")
        async def rate(request: Anyone) -> Response[bytes]:
            return self._serve(request, await request.body(), self._rate)

        @post("/api/shipments/{version:str}/ship")
        async def ship(request: Anyone) -> Response[bytes]:
            return self._serve(request, await request.body(), self._ship)

        @delete("/api/shipments/{version:str}/void/cancel/{shipment:str}", status_code=200)
        async def void(request: Anyone) -> Response[bytes]:
            return self._serve(request, b"{}", self._void)

        @post("/api/labels/{version:str}/recovery")
        async def recover(request: Anyone) -> Response[bytes]:
            return self._serve(request, await request.body(), self._recover)

        @get("/api/track/v1/details/{number:str}")
        async def track(request: Anyone) -> Response[bytes]:
            return self._serve(request, b"{}", self._track)

        @get("/api/track/v1/reference/details/{reference:str}")
        async def by_reference(request: Anyone) -> Response[bytes]:
            return self._serve(request, b"{}", self._by_reference)

        @post("/api/track/v2/subscription/standard/package")
        async def subscribe(request: Anyone) -> Response[bytes]:
            return self._serve(request, await request.body(), self._subscribe)

        return [token, rate, ship, void, recover, track, by_reference, subscribe]

    # --- every call --------------------------------------------------------------------------------------------------

    def _token(self, request: Anyone, form: str) -> Response[bytes]:
        now = self.now()
        self._tokens = {one: until for one, until in self._tokens.items() if until > now}
        if request.headers.get("authorization") != self._app:
            return self._answer(401, error_document("10401", "ClientId is Invalid"))
        if "grant_type=client_credentials" not in form:
            return self._answer(400, error_document("10400", "Invalid/Missing Authorization Header"))
        if len(self._tokens) >= MOST_TOKENS:
            self.violations.append(f"POST {TOKEN}: {MOST_TOKENS} tokens are alive, and another is asked for")
            return self._answer(429, error_document("10429", "Too Many Requests"))
        self._made += 1
        fresh = f"token-{self._made}-{self.random.getrandbits(64):x}"
        self._tokens[fresh] = now + TOKEN_LIVES
        return self._answer(200, token_document(fresh, now, TOKEN_LIVES))

    def _serve(self, request: Anyone, body: bytes, handle: Handler) -> Response[bytes]:
        self.advance()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or self._tokens.get(token, self.now()) <= self.now():
            return self._answer(401, error_document("250002", "Invalid Authentication Information."))
        if self._too_fast():
            self.violations.append(f"{request.method} {request.url.path}: more than {PER_SECOND} calls a second")
            return self._answer(*self.throttled()[:1], error_document("10429", "Too Many Requests"))
        try:
            self._identified(request)
            asked = msgspec.json.decode(body or b"{}")
            answer = handle(asked, {**request.query_params, **request.path_params})
        except Refusal as refusal:
            return self._answer(refusal.status, error_document(refusal.code, refusal.message))
        except msgspec.DecodeError:
            return self._answer(400, error_document("9300001", "The request body is not well formed"))
        return self._answer(200, single(answer) if self.single else answer)

    def _identified(self, request: Anyone) -> None:
        if not request.headers.get("transid"):
            raise Refusal("VSS002", "Missing transId")
        if not request.headers.get("transactionsrc"):
            raise Refusal("VSS004", "Missing transactionSrc")

    def _too_fast(self) -> bool:
        now = self.now()
        while self._called and self._called[0] <= now - timedelta(seconds=1):
            self._called.popleft()
        if len(self._called) >= PER_SECOND:
            return True
        self._called.append(now)
        return False

    def _answer(self, status: int, document: object) -> Response[bytes]:
        body = msgspec.json.encode(document)
        if self.polluted:
            for name in (b'"Code":"', b'"MonetaryValue":"', b'"TrackingNumber":"'):
                body = body.replace(name, name + b"&#xD;&#xD;")
        return Response(body, status_code=status, headers={"content-type": "application/json"})

    # --- rates and labels --------------------------------------------------------------------------------------------

    def _rate(self, asked: dict[str, Any], told: dict[str, str]) -> object:
        wanted = asked.get("RateRequest") or {}
        shipment = wanted.get("Shipment") or {}
        if not packages(shipment) or not shipment.get("ShipTo"):
            raise Refusal("110208", "Missing/Illegal ShipTo or Package")
        option, service = told["option"].casefold(), (shipment.get("Service") or {}).get("Code")
        wanting = {"ShipmentTotalWeight", "InvoiceLineTotal"} - shipment.keys()
        if option.endswith("timeintransit") and abroad(shipment) and wanting:
            raise Refusal("110208", f"Missing/Illegal {sorted(wanting)[0]}: required to tell days abroad")
        tariffs = [tariff for tariff in offered(shipment) if tariff.code not in self.refused_services]
        if option.startswith("rate"):
            tariffs = [tariff for tariff in tariffs if tariff.code == service]
        if not tariffs:
            raise Refusal("111210", "The requested service is unavailable between the selected locations.")
        negotiated = "NegotiatedRatesIndicator" in (shipment.get("ShipmentRatingOptions") or {})
        offers = [
            rated_document(
                tariff,
                price(shipment, tariff),
                self.now(),
                negotiated=negotiated,
                transit=option.endswith("timeintransit"),
            )
            for tariff in tariffs
        ]
        return {"RateResponse": {"Response": head(wanted), "RatedShipment": offers}}

    def _ship(self, asked: dict[str, Any], told: dict[str, str]) -> object:
        wanted = asked.get("ShipmentRequest") or {}
        shipment, image = checked_ship(wanted, self.books.account)
        code = shipment["Service"]["Code"]
        tariffs = [one for one in offered(shipment) if one.code == code and code not in self.refused_services]
        if not tariffs:
            raise Refusal("121210", "The requested service is unavailable between the selected locations.")
        bought = self.books.buy(shipment, tariffs[0], image, self.now())
        return shipped_document(bought, wanted)

    def _recover(self, asked: dict[str, Any], told: dict[str, str]) -> object:
        wanted = asked.get("LabelRecoveryRequest") or {}
        named = wanted.get("ReferenceValues") or {}
        if not wanted.get("TrackingNumber") and named.get("ShipperNumber") != self.books.account:
            raise Refusal("300013", "The shipper number is missing or not of this app")
        numbers = [wanted.get("TrackingNumber") or ""]
        if named.get("ReferenceNumber"):
            numbers = [parcel.tracking for parcel in self.books.by_reference.get(references(named)[0], ())]
        known = [parcel for number in numbers if (parcel := self.books.parcels.get(number)) and parcel.shipment]
        shipments = [self.books.shipments[parcel.shipment] for parcel in known if parcel.shipment]
        found = next((shipment for shipment in reversed(shipments) if not shipment.voided), None)
        if found is None or self.unrecoverable:
            raise Refusal("300002", "No label is found for the given values")
        kind = ((wanted.get("LabelSpecification") or {}).get("LabelImageFormat") or {}).get("Code") or "HTML"
        return recovered_document(found, kind, wanted)

    def _void(self, asked: dict[str, Any], told: dict[str, str]) -> object:
        shipment: Shipment | None = self.books.shipments.get(told["shipment"])
        if shipment is None or not self.books.void(shipment, self.now()):
            raise Refusal("190102", "No shipment found within the allowed void period")
        for parcel in shipment.parcels:
            self.tell(parcel, parcel.scans[-1])
        return voided_document()

    # --- tracking ----------------------------------------------------------------------------------------------------

    def _track(self, asked: dict[str, Any], told: dict[str, str]) -> object:
        parcel = self.books.parcels.get(told["number"])
        return unknown_document(told["number"]) if parcel is None else tracked_document(parcel.tracking, [parcel])

    def _by_reference(self, asked: dict[str, Any], told: dict[str, str]) -> object:
        parcels = self.books.by_reference.get(told["reference"])
        if not parcels:
            raise Refusal("TV0002", "Reference number not found", status=404)
        return tracked_document(told["reference"], parcels)

    def _subscribe(self, asked: dict[str, Any], told: dict[str, str]) -> object:
        if not asked.get("locale"):
            raise Refusal("VSS300", "Locale is required. The Subscription request has been rejected.")
        valid = []
        for number in asked["trackingNumberList"]:
            self.books.follow(number, self.now()).subscribed = True
            valid.append(number)
        return {"validTrackingNumbers": valid}
