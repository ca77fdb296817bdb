"""What a supplier may say on its page: the same facts as by file and API, once per form, whoever presses twice."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg

from hub.domain.facts import (
    CancelConfirmed,
    CancelRefused,
    FactLine,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsShipped,
    NodeFact,
    StockMeaning,
    UnitsShort,
)
from hub.domain.money import MINOR_UNITS
from hub.domain.purchase import UnitCost
from hub.domain.shipping import Parcel, ParcelLine
from hub.domain.signed_link import BadLink, sign, verify
from hub.flow.aggregate import Order
from hub.flow.confirm import apply
from hub.flow.ports import LostRace
from hub.flow.refusal import CannotDo
from hub.flow.take_order import advance
from hub.store.admin import idempotency
from hub.store.admin.tokens import Actor, Role
from hub.web.api.order_actions import load
from hub.web.services import RACES, Services, Work
from hub.web.supplier.standing import LineStanding, Stage, Standing, stage_of

FORM_FOR: Final = timedelta(hours=4)
SUPPLIER: Final = "supplier"
MEANINGS: Final[Mapping[str, StockMeaning]] = {
    "out_of_stock": StockMeaning.QUANTITY,
    "discontinued": StockMeaning.ALL,
    "price": StockMeaning.NOTHING,
    "capacity": StockMeaning.NOTHING,
    "other": StockMeaning.NOTHING,
}
"""What a reason on the page says of the shelf."""
ALLOWED: Final[Mapping[str, tuple[Stage, ...]]] = {
    "accept": (Stage.NEW, Stage.TAKEN),
    "refuse": (Stage.NEW, Stage.TAKEN),
    "ship": (Stage.TAKEN,),
    "stop": (Stage.STOPPING,),
}

Form = Mapping[str, str]


class BadForm(ValueError):
    """The form was not made here, is for something else, or is too old."""


class BadInput(ValueError):
    """What stands in a form cannot be; the text says what, for whoever filled it in."""


@dataclass(kw_only=True)
class SuppliersWork(Work):
    """A write that the supplier of a purchase order asked for."""

    @property
    def who(self) -> str:
        """As rows name it; who that is, the link says."""
        return SUPPLIER


def form_key(key: bytes) -> bytes:
    """The key of forms, so that no form's token is a link."""
    return hashlib.sha256(b"crossdock supplier form 1 " + key).digest()


def form_tokens(hub: Services, key: bytes, one: Standing) -> dict[str, str]:
    """Tokens of the forms of this stage: each for one action on one fulfilment order, usable once."""
    return {
        action: sign(f"{one.id}/{action}/{hub.new_id()}", hub.clock() + FORM_FOR, form_key(key))
        for action, stages in ALLOWED.items()
        if one.stage in stages
    }


def read_form_token(hub: Services, key: bytes, token: str, fulfilment: str, action: str) -> str:
    """What makes a form unique. Raises `BadForm`."""
    try:
        whose, what, once = verify(token, hub.clock(), form_key(key)).split("/")
    except (BadLink, ValueError) as error:
        raise BadForm("the form is not valid any more") from error
    if (whose, what) != (fulfilment, action):
        raise BadForm("the form is for something else")
    return once


def _token(fulfilment: str) -> str:
    return f"link:{fulfilment}"


async def sent_before(hub: Services, fulfilment: str, action: str, once: str) -> bool:
    """Whether a form was sent already: whoever presses twice is answered as the first time."""
    async with hub.database.connection() as connection:
        return await idempotency.find(connection, _token(fulfilment), f"{action}:{once}") is not None


async def submit(hub: Services, order: Order, no: int, action: str, once: str, facts: Sequence[NodeFact]) -> None:
    """Apply facts in one transaction; a form that was sent before does nothing more. Raises `CannotDo`: too late."""
    token = _token(order.fulfilments[no].id)
    actor = Actor(token=token, name=SUPPLIER, role=Role.VIEWER, merchant=order.merchant)
    for tried in range(1, RACES + 1):
        try:
            async with hub.database.transaction() as connection:
                work = SuppliersWork(connection=connection, actor=actor, now=hub.clock(), hub=hub, lock_stock=tried > 1)
                key = f"{action}:{once}"
                if await idempotency.begin(connection, actor.token, key, b""):
                    return
                await _apply(work, order.id, no, action, facts)
                await idempotency.keep(connection, actor.token, key, 303, "text/html", b"")
            break
        except (LostRace, asyncpg.DeadlockDetectedError):
            if tried == RACES:
                raise
    for lane in sorted(work.rings):
        hub.ring(lane)


async def _apply(work: Work, id: str, no: int, action: str, facts: Sequence[NodeFact]) -> None:
    order, batch = await load(work, id), await work.batch()
    if stage_of(order, no) not in ALLOWED[action]:
        raise CannotDo(f"it is too late to {action} {order.fulfilments[no].id}")
    for fact in facts:
        apply(order, fact, batch)
    await advance(work.unit, [order], batch)
    work.ring("deliver", "availability", "waiting")


# --- forms as facts --------------------------------------------------------------------------------------------------


def facts_of(action: str, form: Form, one: Standing, once: str, now: datetime, zone: str) -> list[NodeFact]:
    """What a filled-in form says. Raises `BadInput`."""
    match action:
        case "accept":
            return _accepted(form, one, now, zone)
        case "refuse":
            reason = _reason(form)
            return [FulfilmentRefused(at=now, fulfilment=one.id, reason=reason, stock=MEANINGS[reason])]
        case "ship":
            return [_shipped(form, one, once, now)]
        case _:
            if form.get("answer") == "stopped":
                return [CancelConfirmed(at=now, fulfilment=one.id)]
            return [CancelRefused(at=now, fulfilment=one.id, reason="too late")]


def _accepted(form: Form, one: Standing, now: datetime, zone: str) -> list[NodeFact]:
    ships_on = _date(form, now, zone)
    refused = {line.line: _units(form, f"refused-{line.line}", line) for line in one.lines if line.open}
    short = [line for line in one.lines if refused.get(line.line)]
    costs = tuple(
        UnitCost(line=line.line, unit_cost=cost) for line in one.lines if (cost := _cost(form, line)) is not None
    )
    currency = form.get("currency", "").strip().upper()
    if costs and currency not in MINOR_UNITS:
        raise BadInput(f"{currency or 'Nothing'} is no currency: write it as in USD or EUR")
    reason = _reason(form)
    if short and all(refused.get(line.line, 0) == line.open for line in one.lines if line.open):
        return [FulfilmentRefused(at=now, fulfilment=one.id, reason=reason, stock=MEANINGS[reason])]
    facts: list[NodeFact] = []
    if short:
        lines = tuple(FactLine(line=line.line, quantity=refused[line.line]) for line in short)
        facts.append(UnitsShort(at=now, fulfilment=one.id, lines=lines, reason=reason, stock=MEANINGS[reason]))
    facts.append(
        FulfilmentAccepted(
            at=now, fulfilment=one.id, ships_on=ships_on, costs=costs, currency=currency if costs else None
        )
    )
    return facts


def _shipped(form: Form, one: Standing, once: str, now: datetime) -> GoodsShipped:
    units = {line.line: _units(form, f"units-{line.line}", line) for line in one.lines if line.open}
    tracking, carrier = form.get("tracking", "").strip(), form.get("carrier", "").strip()
    if not tracking or not carrier:
        raise BadInput("Say which carrier took it, and its tracking number")
    lines = tuple(ParcelLine(line=line, quantity=count) for line, count in units.items() if count)
    if not lines:
        raise BadInput("Say how many units are in the parcel")
    box = Parcel(tracking=tracking, carrier=carrier.lower(), lines=lines)
    return GoodsShipped(at=now, fulfilment=one.id, shipment=f"page:{once}", parcels=(box,))


def _date(form: Form, now: datetime, zone: str) -> datetime:
    said = form.get("ships_on", "").strip()
    try:
        day = date.fromisoformat(said)
    except ValueError as error:
        raise BadInput("Say on which day it leaves") from error
    if day < now.astimezone(ZoneInfo(zone)).date():
        raise BadInput(f"{day.isoformat()} is over: say on which day it leaves")
    if day > now.date() + timedelta(days=730):
        raise BadInput(f"{day.isoformat()} is more than two years away")
    return datetime.combine(day, time(23, 59, 59), ZoneInfo(zone))


def _cost(form: Form, line: LineStanding) -> Decimal | None:
    said = form.get(f"cost-{line.line}", "").strip().replace(",", ".")
    if not said:
        return None
    try:
        cost = Decimal(said)
    except InvalidOperation as error:
        raise BadInput(f"{line.title}: {said} is no cost") from error
    if not cost.is_finite() or cost < 0 or cost.adjusted() > 11 or len(said) > 20:
        raise BadInput(f"{line.title}: {said} is no cost")
    return cost


def _units(form: Form, name: str, line: LineStanding) -> int:
    said = form.get(name, "").strip() or "0"
    if not (said.isascii() and said.isdigit() and len(said) <= 9):
        raise BadInput(f"{line.title}: {said} is no number of units")
    if int(said) > line.open:
        raise BadInput(f"{line.title}: {said} units are more than the {line.open} that are open")
    return int(said)


def _reason(form: Form) -> str:
    reason = form.get("reason", "other")
    if reason not in MEANINGS:
        raise BadInput("Choose a reason from the list")
    return reason
