"""What the simulated UPS keeps: shipments, parcels, subscriptions, and the timetable by which parcels travel."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from typing import Any, Final

import msgspec


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """A service; money in cents."""

    code: str
    name: str
    base: int
    per_pound: int
    per_zone: int
    days: int
    abroad: bool = False


TARIFFS: Final = (
    Tariff(code="03", name="UPS Ground", base=720, per_pound=95, per_zone=48, days=4),
    Tariff(code="12", name="UPS 3 Day Select", base=1180, per_pound=160, per_zone=85, days=3),
    Tariff(code="02", name="UPS 2nd Day Air", base=1640, per_pound=310, per_zone=110, days=2),
    Tariff(code="13", name="UPS Next Day Air Saver", base=2980, per_pound=520, per_zone=190, days=1),
    Tariff(code="11", name="UPS Standard", base=1450, per_pound=150, per_zone=60, days=5, abroad=True),
    Tariff(code="08", name="UPS Worldwide Expedited", base=4200, per_pound=420, per_zone=150, days=5, abroad=True),
    Tariff(code="65", name="UPS Worldwide Saver", base=5600, per_pound=510, per_zone=170, days=2, abroad=True),
)
FAR: Final = 9
DISCOUNT_PERCENT: Final = 30
"""What the account pays less than the list price."""
POUNDS: Final = {"LBS": Decimal(1), "KGS": Decimal("2.20462"), "OZS": Decimal("0.0625")}


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """An activity."""

    at: datetime
    type: str
    code: str
    simplified: str
    words: str


MANIFEST: Final = ("M", "MP", "003", "Shipper created a label, UPS has not received the package yet. ")
VOID: Final = ("M", "VP", "007", "Void information received.")


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """When a parcel is seen where, from its label on; None never happens by itself."""

    in_transit_ms: int | None = 1500
    out_for_delivery_ms: int | None = None
    delivered_ms: int | None = 3000

    def steps(self) -> list[tuple[int, tuple[str, str, str, str]]]:
        """Delay and activity of each."""
        steps = (
            (self.in_transit_ms, ("I", "OR", "005", "Origin Scan")),
            (self.out_for_delivery_ms, ("I", "OT", "021", "Out For Delivery Today")),
            (self.delivered_ms, ("D", "FS", "011", "DELIVERED ")),
        )
        return [(after, said) for after, said in steps if after is not None]


class Parcel(msgspec.Struct, kw_only=True):
    """A box that UPS knows."""

    tracking: str
    references: tuple[str, ...] = ()
    shipment: str | None = None
    scans: list[Scan] = []
    subscribed: bool = False

    @property
    def moving(self) -> bool:
        """Whether UPS has had it in its hands."""
        return any(scan.type != "M" for scan in self.scans)


class Shipment(msgspec.Struct, kw_only=True):
    """As it was posted, with what it costs."""

    id: str
    document: dict[str, Any]
    tariff: Tariff
    cents: int
    parcels: list[Parcel]
    image: str
    bought: datetime
    voided: bool = False


class Books:
    """State. `labels_bought` counts shipments by reference: more than one is money thrown away."""

    def __init__(self, account: str, journey: Journey) -> None:
        self.account = account
        self.journey = journey
        self.shipments: dict[str, Shipment] = {}
        self.parcels: dict[str, Parcel] = {}
        self.by_reference: dict[str, list[Parcel]] = {}
        self.labels_bought: Counter[str] = Counter()
        self._due: list[tuple[datetime, int, str, tuple[str, str, str, str]]] = []
        self._steps = 0

    def buy(self, document: dict[str, Any], tariff: Tariff, image: str, now: datetime) -> Shipment:
        """A shipment; every box gets a number, the shipment that of its first."""
        common = references(document)
        parcels = []
        for box in packages(document):
            number = f"1Z{self.account}{tariff.code}{len(self.parcels) + 1:08d}"
            parcel = self.follow(number, now)
            parcel.references = (*common, *references(box))
            for name in parcel.references:
                self.by_reference.setdefault(name, []).append(parcel)
            parcels.append(parcel)
        shipment = Shipment(
            id=parcels[0].tracking,
            document=document,
            tariff=tariff,
            cents=price(document, tariff),
            parcels=parcels,
            image=image,
            bought=now,
        )
        self.shipments[shipment.id] = shipment
        for parcel in parcels:
            parcel.shipment = shipment.id
        self.labels_bought.update({name for parcel in parcels for name in parcel.references})
        return shipment

    def follow(self, number: str, now: datetime) -> Parcel:
        """A parcel: the one that is known, else a new one that begins its journey."""
        parcel = self.parcels.get(number)
        if parcel is None:
            parcel = Parcel(tracking=number, scans=[_scan(now, MANIFEST)])
            self.parcels[number] = parcel
            for after, said in self.journey.steps():
                self._steps += 1
                heappush(self._due, (now + timedelta(milliseconds=after), self._steps, number, said))
        return parcel

    def void(self, shipment: Shipment, now: datetime) -> bool:
        """Give back: not twice, and not once a box is in UPS's hands."""
        if shipment.voided or any(parcel.moving for parcel in shipment.parcels):
            return False
        shipment.voided = True
        for parcel in shipment.parcels:
            parcel.scans.append(_scan(now, VOID))
        return True

    def seen(self, parcel: Parcel, at: datetime, said: tuple[str, str, str, str]) -> Scan:
        """Scan a parcel."""
        scan = _scan(at, said)
        parcel.scans.append(scan)
        return scan

    def advance(self, now: datetime) -> list[tuple[Parcel, Scan]]:
        """Take the steps that are due; what was scanned."""
        done = []
        while self._due and self._due[0][0] <= now:
            at, _, number, said = heappop(self._due)
            parcel = self.parcels[number]
            if not (parcel.shipment and self.shipments[parcel.shipment].voided):
                done.append((parcel, self.seen(parcel, at, said)))
        return done


def packages(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Boxes of a shipment: UPS takes one object for a list of one."""
    found = document.get("Package") or []
    return found if isinstance(found, list) else [found]


def references(holder: dict[str, Any]) -> tuple[str, ...]:
    """Reference numbers of a shipment or box."""
    found = holder.get("ReferenceNumber") or []
    return tuple(one["Value"] for one in (found if isinstance(found, list) else [found]) if one.get("Value"))


def ends(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Where a shipment starts and ends."""
    start = (document.get("ShipFrom") or document.get("Shipper") or {}).get("Address") or {}
    return start, (document.get("ShipTo") or {}).get("Address") or {}


def abroad(document: dict[str, Any]) -> bool:
    """Whether a shipment goes to another country."""
    start, end = ends(document)
    return bool(start.get("CountryCode") != end.get("CountryCode"))


def offered(document: dict[str, Any]) -> list[Tariff]:
    """Services between the ends of a shipment."""
    return [tariff for tariff in TARIFFS if tariff.abroad == abroad(document)]


def price(document: dict[str, Any], tariff: Tariff) -> int:
    """List price in cents: by weight and zone, the same for the same boxes."""
    zone = _zone(*ends(document))
    pounds = Decimal(0)
    for box in packages(document):
        weight = box.get("PackageWeight") or {}
        pounds += Decimal(weight.get("Weight") or "1") * POUNDS[weight["UnitOfMeasurement"]["Code"]] if weight else 1
    return tariff.base + int(pounds * tariff.per_pound) + zone * tariff.per_zone


def discounted(cents: int) -> int:
    """What the account pays."""
    return cents * (100 - DISCOUNT_PERCENT) // 100


def _scan(at: datetime, said: tuple[str, str, str, str]) -> Scan:
    kind, code, simplified, words = said
    return Scan(at=at, type=kind, code=code, simplified=simplified, words=words)


def _zone(start: dict[str, Any], end: dict[str, Any]) -> int:
    if start.get("CountryCode") != end.get("CountryCode"):
        return FAR
    digits = [str(place.get("PostalCode") or "0")[:1] for place in (start, end)]
    if not all(digit.isdigit() for digit in digits):
        return 5
    return 1 + min(7, abs(int(digits[0]) - int(digits[1])))
