"""What a supplier may say on its page: the same facts as by file and API, once per form, whoever presses twice."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

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
from hub.flow.confirm import apply
from hub.flow.refusal import CannotDo
from hub.flow.take_order import advance
from hub.web.api.order_actions import load
from hub.web.forms import Form, Forms
from hub.web.services import Services, Work
from hub.web.supplier.standing import LineStanding, Stage, Standing, stage_of

FORM_FOR: Final = timedelta(hours=4)
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


class BadInput(ValueError):
    """What stands in a form cannot be; the text says what, for whoever filled it in."""


def forms(key: bytes) -> Forms:
    """The forms of a page whose links are signed with `key`."""
    return Forms(holder="supplier", valid_for=FORM_FOR, key=key)


def form_tokens(hub: Services, key: bytes, one: Standing) -> dict[str, str]:
    """Tokens of the forms of this stage, by action."""
    offered = (action for action, stages in ALLOWED.items() if one.stage in stages)
    return {action: forms(key).token(hub, one.id, action) for action in offered}


async def say(work: Work, id: str, no: int, action: str, facts: Sequence[NodeFact]) -> None:
    """Apply facts about a fulfilment order. Raises `CannotDo`: too late."""
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
