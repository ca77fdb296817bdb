"""A supplier with books of its own: takes purchase orders as files or over its API, answers in time, late or dearer.

It reads what it is sent independently of the adapter, and what is not as README.md says is a violation.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, put
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hub.sdk.testkit.sftp import SftpSimulator
from hub.sdk.testkit.simulator import Sent, Simulator
from hub.sdk.webhook import Delivery, signed_standard, standard_headers

SECRET: Final = "whsec_c3VwcGxpZXItd2ViaG9vay1zZWNyZXQ="
SIGNING: Final = "whsec_c3VwcGxpZXItc2lnbmluZy1zZWNyZXQ="
JSON: Final = "application/json"

Document = dict[str, Any]


class Ordered(msgspec.Struct, kw_only=True):
    """A purchase order in the supplier's books."""

    number: str
    lines: dict[str, tuple[str, int]]
    """By line: (SKU, units)."""
    costs: dict[str, str]
    ship_to: Document
    times: int = 1
    cancelled: bool = False
    shipped: bool = False
    kept: dict[str, int] = {}
    """Units by line that will be sent."""


class Habits(msgspec.Struct, kw_only=True):
    """What a supplier does with orders of its own accord, each a probability; see `Books.day`."""

    silent: float = 0.0
    """It does not answer today."""
    refuses: float = 0.0
    short: float = 0.0
    """It refuses one unit of the first line."""
    dearer: float = 0.0
    """It asks for a dollar more for each unit than was agreed."""
    late: float = 0.0
    """It names a day a month away."""


class Books:
    """What both kinds of supplier do with their orders: each answer is a document as README.md has it."""

    def __init__(self) -> None:
        self.orders: dict[str, Ordered] = {}
        self.cancels: dict[str, int] = {}
        self.refuses: set[str] = set()
        """Numbers that are declined at once."""
        self.shipments = 0
        self.answered: dict[str, str] = {}
        """What was said to each order by `day`: refused, short, dearer, late, agreed."""

    def day(self, habits: Habits, chance: Callable[[], float], today: date) -> list[Document]:
        """A day's work: yesterday's acknowledged orders leave, today's are answered. The documents that say so."""
        said: list[Document] = []
        for number, order in self.orders.items():
            if order.cancelled or order.shipped or self.answered.get(number) == "refused":
                continue
            if number in self.answered:
                said.append(self.shipped(number, order.kept, tracking=f"T-{number}"))
            elif chance() >= habits.silent:
                said.append(self._answered(order, habits, chance, today))
        return said

    def _answered(self, order: Ordered, habits: Habits, chance: Callable[[], float], today: date) -> Document:
        number, first = order.number, next(iter(order.lines))
        order.kept = {line: units for line, (_, units) in order.lines.items()}
        soon, agreed = today + timedelta(days=1), self.answered
        if chance() < habits.refuses or (chance() < habits.short and sum(order.kept.values()) == 1):
            agreed[number] = "refused"
            return self.refused(number, "capacity")
        if chance() < habits.short:
            agreed[number] = "short"
            order.kept = {line: units - (line == first) for line, units in order.kept.items()}
            order.kept = {line: units for line, units in order.kept.items() if units}
            return self.acknowledged(number, ships_on=soon, refused={first: 1}, reason="capacity")
        if chance() < habits.dearer:
            agreed[number] = "dearer"
            more = {line: str(Decimal(cost) + 1) for line, cost in order.costs.items()}
            return self.acknowledged(number, ships_on=soon, costs=more)
        agreed[number] = "late" if chance() < habits.late else "agreed"
        day = today + timedelta(days=30) if agreed[number] == "late" else soon
        return self.acknowledged(number, ships_on=day)

    def take(self, document: Document) -> None:
        """Book what a purchase order says."""
        number = document["purchase_order"]
        if document["action"] == "cancel":
            self.cancels[number] = self.cancels.get(number, 0) + 1
            if number in self.orders:
                self.orders[number].cancelled = True
            return
        if number in self.orders:
            self.orders[number].times += 1
            return
        lines = document["lines"]
        self.orders[number] = Ordered(
            number=number,
            lines={line["line"]: (line["sku"], int(line["quantity"])) for line in lines},
            costs={line["line"]: line["unit_cost"] for line in lines if line.get("unit_cost")},
            ship_to=document.get("ship_to") or {},
        )

    def acknowledged(
        self,
        number: str,
        *,
        ships_on: date | None = None,
        costs: Mapping[str, str] | None = None,
        refused: Mapping[str, int] | None = None,
        reason: str = "out_of_stock",
        **more: object,
    ) -> Document:
        """It is taken on: with a date, at its own or the agreed costs, without the units that are refused."""
        order, without = self.orders[number], refused or {}
        lines: list[Document] = []
        for line in order.lines:
            said: Document = {"line": line}
            cost = (order.costs | dict(costs or {})).get(line)
            if cost is not None:
                said["unit_cost"] = cost
            if line in without:
                said |= {"refused": without[line], "reason": reason}
            lines.append(said)
        day = {"ships_on": ships_on.isoformat()} if ships_on else {}
        return {"says": "acknowledged", "purchase_order": number, "status": "accepted", "lines": lines, **day, **more}

    def refused(self, number: str, reason: str = "out_of_stock") -> Document:
        """Nothing of it will be sent."""
        return {"says": "acknowledged", "purchase_order": number, "status": "refused", "reason": reason}

    def shipped(
        self, number: str, units: Mapping[str, int] | None = None, *, tracking: str = "1Z999AA10123456784"
    ) -> Document:
        """Units of an order leave, all by default."""
        order = self.orders[number]
        order.shipped = True
        self.shipments += 1
        wanted = units or {line: quantity for line, (_, quantity) in order.lines.items()}
        lines = [{"line": line, "quantity": quantity} for line, quantity in wanted.items()]
        box = {"carrier": "UPS", "tracking": tracking, "lines": lines}
        return {"says": "shipped", "purchase_order": number, "shipment": f"S-{self.shipments}", "parcels": [box]}

    def cancel_answered(self, number: str, status: str = "cancelled") -> Document:
        """What became of a cancel."""
        return {"says": "cancel_answered", "purchase_order": number, "status": status}

    def levels(self, units: Mapping[str, int], **more: object) -> Document:
        """What is there."""
        return {"says": "levels", "lines": [{"sku": sku, "quantity": count} for sku, count in units.items()], **more}


class SupplierFiles(SftpSimulator):
    """Reads `to_supplier`, writes `from_supplier`; `work` does what a day does with files."""

    vendor = "supplier"

    def __init__(self, **base: Any) -> None:
        super().__init__(folders=("to_supplier", "from_supplier"), **base)
        self.books = Books()
        self.secret = SECRET
        self.twice = False
        """Every file is put there again, under another name."""
        self._files = 0

    def work(self) -> int:
        """Take in every file that lies there; returns how many."""
        found = self.within("to_supplier")
        for name, body in found.items():
            del self.disk[f"/to_supplier/{name}"]
            for document in self.read(name, body):
                self.books.take(document)
        return len(found)

    def read(self, name: str, body: bytes) -> list[Document]:
        """The purchase orders of a file."""
        if name.endswith(".json"):
            return [msgspec.json.decode(body)]
        rows = list(csv.DictReader(io.StringIO(body.decode()), strict=True))
        if not rows or any(None in row or None in row.values() for row in rows):
            self.violations.append(f"{name}: no rows, or cells without a column")
            return []
        head = rows[0]
        to = {key.removeprefix("ship_"): value for key, value in head.items() if key.startswith("ship_") and value}
        return [{**head, "ship_to": to, "lines": [row for row in rows if row["line"]]}]

    def asked(self, fulfilment: str, action: str) -> int:
        """How many files that lie there say it."""
        found = [one for name, body in self.within("to_supplier").items() for one in self.read(name, body)]
        return sum(one["fulfilment"] == fulfilment and one["action"] == action for one in found)

    def say(self, document: Document, name: str = "") -> str:
        """Put a document where it is taken from; returns the file's name."""
        self._files += 1
        name = name or f"{document['says']}_{self._files:04}.json"
        for one in (name, f"again_{name}") if self.twice else (name,):
            self.drop(f"from_supplier/{one}", msgspec.json.encode(document))
        return name


class SupplierApi(Simulator):
    """Serves `/purchase-orders/{number}`, and posts what it has to say to `hub_url`."""

    vendor = "supplier"

    def __init__(self, **base: Any) -> None:
        super().__init__(**base)
        self.books = Books()
        self.secret, self.signing = SECRET, SIGNING
        self.hub_url: str | None = None
        self.fulfilments: dict[str, str] = {}
        """Number of the purchase order by our fulfilment order."""
        self.answers_cancels: str = "cancelled"
        """cancelled, asked, too_late."""
        self._messages = 0

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Its API."""

        @put("/purchase-orders/{number:str}")
        async def take(request: Request[Any, Any, Any], number: FromPath[str]) -> Response[Document]:
            return self._take(await self._read(request), number)

        @get("/purchase-orders/{number:str}")
        async def look(request: Request[Any, Any, Any], number: FromPath[str]) -> Response[Document]:
            if not await self._genuine(request):
                return Response({}, status_code=401)
            known = number in self.books.orders
            return Response(
                {"purchase_order": number, "state": "taken"} if known else {}, status_code=200 if known else 404
            )

        @put("/purchase-orders/{number:str}/cancel")
        async def cancel(request: Request[Any, Any, Any], number: FromPath[str]) -> Response[Document]:
            document = await self._read(request)
            if document is None:
                return Response({}, status_code=401)
            if self.answers_cancels != "too_late":
                self.books.take(document)
            return Response({"purchase_order": number, "state": self.answers_cancels})

        return [take, look, cancel]

    def _take(self, document: Document | None, number: str) -> Response[Document]:
        if document is None:
            return Response({}, status_code=401)
        if document["purchase_order"] != number:
            self.violations.append(f"{document['purchase_order']} was put under {number}")
        if number in self.books.refuses:
            return Response({"purchase_order": number, "reason": "not a customer of ours"}, status_code=409)
        self.books.take(document)
        self.fulfilments[document["fulfilment"]] = number
        return Response({"purchase_order": number, "state": "taken"}, status_code=201)

    async def _genuine(self, request: Request[Any, Any, Any]) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body()
        delivery = Delivery(
            method=request.method, url=str(request.url), headers=headers, query={}, body=body, received_at=self.now()
        )
        return signed_standard(delivery, [self.signing], tolerance=timedelta(minutes=10))

    async def _read(self, request: Request[Any, Any, Any]) -> Document | None:
        if not await self._genuine(request):
            return None
        found: Document = msgspec.json.decode(await request.body())
        return found

    def say(self, document: Document, *, secret: str | None = None) -> None:
        """Post a document, signed."""
        self._messages += 1
        body = msgspec.json.encode(document)
        headers = posted(f"msg_{self._messages}", body, self.now(), secret or self.secret)
        assert self.hub_url is not None
        self.deliver(Sent(url=self.hub_url, headers=headers, body=body))


def posted(id: str, body: bytes, at: datetime, secret: str) -> dict[str, str]:
    """Headers of a message that a supplier posts."""
    return {"content-type": JSON, **standard_headers(id, body, at, (secret,))}
