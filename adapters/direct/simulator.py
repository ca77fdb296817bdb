"""A merchant's payment service on loopback: authorisations, captures, voids and refunds, each movement counted."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hub.sdk.testkit.simulator import Simulator


class Held(msgspec.Struct, kw_only=True):
    """An authorisation, and what was made of it."""

    id: str
    order: str
    amount: int
    currency: str
    captured: int = 0
    refunded: int = 0
    voided: bool = False


class Answer(Exception):
    """Ends a request with a status and a reason."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class PaymentService(Simulator):
    """Accepts one bearer token. It does not deduplicate: a client that sends a movement twice moves the money twice."""

    vendor = "direct"

    def __init__(self, *, token: str, **base: Any) -> None:
        super().__init__(**base)
        self.token = token
        self.held: dict[str, Held] = {}
        self.moved: dict[tuple[str, str], list[list[dict[str, Any]]]] = {}
        """(resource, key) -> what each request under it moved."""
        self._last = 0

    def authorise(self, order: str, amount: int, currency: str = "EUR") -> str:
        """A customer's bank holds money for an order; the authorisation's id."""
        held = Held(id=self._id("auth"), order=order, amount=amount, currency=currency)
        self.held[held.id] = held
        return held.id

    def taken(self, order: str) -> int:
        """Captured of an order, less refunded."""
        return sum(one.captured - one.refunded for one in self.held.values() if one.order == order)

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """The service."""

        @post("/{resource:str}", status_code=201)
        async def move(request: Request[Any, Any, Any], resource: FromPath[str]) -> Response[bytes]:
            return self._answer(request, lambda body: self._move(resource, body), await request.body(), 201)

        @get("/{resource:str}/{key:str}")
        async def look(request: Request[Any, Any, Any], resource: FromPath[str], key: FromPath[str]) -> Response[bytes]:
            return self._answer(request, lambda _: self._look(resource, key), b"{}", 200)

        return [move, look]

    def _answer(self, request: Request[Any, Any, Any], do: Any, body: bytes, status: int) -> Response[bytes]:
        try:
            if request.headers.get("authorization") != f"Bearer {self.token}":
                raise Answer(401, "the token is not known")
            movements = do(msgspec.json.decode(body))
        except Answer as answer:
            text = msgspec.json.encode({"error": str(answer)})
            return Response(text, status_code=answer.status, media_type="application/json")
        text = msgspec.json.encode({"movements": movements})
        return Response(text, status_code=status, media_type="application/json")

    def _look(self, resource: str, key: str) -> list[dict[str, Any]]:
        made = self.moved.get((resource, key))
        if not made:
            raise Answer(404, "nothing was moved under this key")
        return made[0]

    def _move(self, resource: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        made = {"captures": self._capture, "voids": self._void, "refunds": self._refund}[resource](body)
        self.moved.setdefault((resource, body["key"]), []).append(made)
        return made

    def _capture(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        held = self._open(body)
        if held.voided:
            raise Answer(409, f"{held.id} was voided")
        if held.captured + body["amount"] > held.amount:
            raise Answer(422, f"{held.id} holds {held.amount - held.captured} more")
        held.captured += body["amount"]
        return [self._movement("cap", held, body["amount"])]

    def _void(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        held = self._open(body)
        if held.captured:
            raise Answer(409, f"{held.id} was captured")
        held.voided = True
        return [self._movement("void", held, held.amount)]

    def _refund(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        left, made = body["amount"], []
        mine = [one for one in self.held.values() if one.order == body["order"]]
        if sum(one.captured - one.refunded for one in mine) < left:
            raise Answer(422, "more than was captured")
        for held in mine:
            units = min(left, held.captured - held.refunded)
            if units:
                held.refunded += units
                left -= units
                made.append(self._movement("ref", held, units))
        return made

    def _open(self, body: dict[str, Any]) -> Held:
        named = self.held.get(body["payment"] or "")
        mine = [one for one in self.held.values() if one.order == body["order"] and not one.voided]
        held = named or (mine[0] if len(mine) == 1 and body["payment"] is None else None)
        if held is None:
            raise Answer(404, f"no authorisation {body['payment']} of order {body['order']}")
        return held

    def _movement(self, kind: str, held: Held, amount: int) -> dict[str, Any]:
        return {
            "id": self._id(kind),
            "amount": amount,
            "currency": held.currency,
            "method": "card",
            "payment": held.id,
        }

    def _id(self, kind: str) -> str:
        self._last += 1
        return f"{kind}-{self._last}"
