"""What the simulated EasyPost keeps: shipments, trackers, and the timetable by which parcels travel."""

from collections import Counter
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any, Final

import msgspec


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """A service of a carrier; money in cents."""

    carrier: str
    service: str
    base: int
    per_ounce: int
    per_zone: int
    days: int


TARIFFS: Final = (
    Tariff(carrier="USPS", service="GroundAdvantage", base=540, per_ounce=11, per_zone=35, days=5),
    Tariff(carrier="USPS", service="Priority", base=790, per_ounce=17, per_zone=65, days=3),
    Tariff(carrier="UPS", service="Ground", base=720, per_ounce=6, per_zone=48, days=4),
    Tariff(carrier="UPS", service="2ndDayAir", base=1640, per_ounce=19, per_zone=110, days=2),
    Tariff(carrier="FedEx", service="FEDEX_GROUND", base=735, per_ounce=6, per_zone=45, days=4),
    Tariff(carrier="FedEx", service="STANDARD_OVERNIGHT", base=2890, per_ounce=32, per_zone=180, days=1),
)
ABROAD: Final = 9
PREFIXES: Final = {"USPS": "9400", "UPS": "1Z", "FedEx": "7712"}


class Offer(msgspec.Struct, kw_only=True):
    """A rate of a shipment."""

    id: str
    tariff: Tariff
    cents: int


class Shipment(msgspec.Struct, kw_only=True):
    """As it was posted, with its offers."""

    id: str
    document: dict[str, Any]
    created: datetime
    offers: list[Offer]
    bought: Offer | None = None
    bought_at: datetime | None = None
    bought_no: int = 0
    """Its place among the bought ones, from 1."""
    tracker: "Tracker | None" = None
    refund: str | None = None

    @property
    def reference(self) -> str | None:
        """Our key."""
        reference: str | None = self.document.get("reference")
        return reference


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a parcel."""

    status: str
    at: datetime


class Tracker(msgspec.Struct, kw_only=True):
    """A parcel that is followed."""

    id: str
    code: str
    carrier: str
    created: datetime
    updated: datetime
    shipment: str | None = None
    status: str = "unknown"
    scans: list[Scan] = []
    stopped: bool = False


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """When a parcel is seen where, from the moment its tracker is made; None never happens by itself."""

    pre_transit_ms: int | None = 50
    in_transit_ms: int | None = 200
    out_for_delivery_ms: int | None = None
    delivered_ms: int | None = 600

    def steps(self) -> list[tuple[str, int]]:
        """Status and delay of each."""
        steps = (
            ("pre_transit", self.pre_transit_ms),
            ("in_transit", self.in_transit_ms),
            ("out_for_delivery", self.out_for_delivery_ms),
            ("delivered", self.delivered_ms),
        )
        return [(status, after) for status, after in steps if after is not None]


class Books:
    """State. `labels_bought` counts purchases by our reference: more than one is money thrown away."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self.shipments: dict[str, Shipment] = {}
        self.by_reference: dict[str, list[Shipment]] = {}
        self.bought: list[Shipment] = []
        self.labels_bought: Counter[str] = Counter()
        self.trackers: dict[str, Tracker] = {}
        self._due: list[tuple[datetime, int, str, str]] = []
        self._steps = 0

    def create(self, document: dict[str, Any], carriers: frozenset[str], now: datetime) -> Shipment:
        """A shipment with the offers of the given carriers."""
        number = len(self.shipments) + 1
        shipment = Shipment(id=f"shp_{number:032x}", document=document, created=now, offers=[])
        self.shipments[shipment.id] = shipment
        if shipment.reference is not None:
            self.by_reference.setdefault(shipment.reference, []).append(shipment)
        self.rate(shipment, carriers)
        return shipment

    def rate(self, shipment: Shipment, carriers: frozenset[str]) -> None:
        """Offers by weight and zone, the same for the same parcel."""
        zone, ounces = _zone(shipment.document), shipment.document["parcel"]["weight"]
        shipment.offers = [
            Offer(
                id=f"rate_{shipment.id[4:]}_{place}",
                tariff=tariff,
                cents=tariff.base + int(ounces * tariff.per_ounce) + zone * tariff.per_zone,
            )
            for place, tariff in enumerate(TARIFFS)
            if tariff.carrier in carriers
        ]

    def buy(self, shipment: Shipment, offer: Offer, now: datetime) -> Tracker:
        """Postage for one offer; the parcel gets a number and is followed."""
        shipment.bought, shipment.bought_at = offer, now
        self.bought.append(shipment)
        shipment.bought_no = len(self.bought)
        self.labels_bought[shipment.reference or ""] += 1
        code = f"{PREFIXES[offer.tariff.carrier]}{len(self.bought):016d}"
        shipment.tracker = self.follow(code, offer.tariff.carrier, now, shipment.id)
        return shipment.tracker

    def follow(self, code: str, carrier: str, now: datetime, shipment: str | None = None) -> Tracker:
        """The tracker of a parcel: the one that exists, else a new one that begins its journey."""
        tracker = self.trackers.get(code)
        if tracker is None:
            number = len(self.trackers) + 1
            tracker = Tracker(
                id=f"trk_{number:032x}", code=code, carrier=carrier, created=now, updated=now, shipment=shipment
            )
            self.trackers[code] = tracker
            for status, after in self.journey.steps():
                self._steps += 1
                heappush(self._due, (now + timedelta(milliseconds=after), self._steps, code, status))
        return tracker

    def refund(self, shipment: Shipment) -> str:
        """Give back: not once a carrier has seen the parcel."""
        if shipment.refund is None and shipment.tracker is not None:
            seen = shipment.tracker.status not in ("unknown", "pre_transit")
            shipment.refund = "rejected" if seen else "submitted"
            shipment.tracker.stopped = not seen
        return shipment.refund or "not_applicable"

    def advance(self, now: datetime) -> list[tuple[Tracker, str]]:
        """Take the steps that are due; the trackers that changed, each with the status it had."""
        changed = []
        while self._due and self._due[0][0] <= now:
            at, _, code, status = heappop(self._due)
            tracker = self.trackers[code]
            if not tracker.stopped:
                changed.append((tracker, tracker.status))
                tracker.status, tracker.updated = status, now
                tracker.scans = [*tracker.scans, Scan(status=status, at=at)]
        return changed


def _zone(document: dict[str, Any]) -> int:
    start, end = document["from_address"], document["to_address"]
    if start.get("country") != end.get("country"):
        return ABROAD
    digits = [str(place.get("zip") or "0")[:1] for place in (start, end)]
    if not all(digit.isdigit() for digit in digits):
        return 5
    return 1 + min(7, abs(int(digits[0]) - int(digits[1])))
