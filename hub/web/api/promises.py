"""Promises before purchase: what could arrive when, from where, at what cost. Nothing is held or changed."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import msgspec
from litestar import Controller, post
from litestar.params import JSONBody

from hub.domain.contact import Contact, Place
from hub.flow.promise import Basket, Declined, Option, Promised, Sent, Wanted, Why, promise
from hub.flow.scene import Scene
from hub.flow.stock_ports import ItemFacts
from hub.promise.calendar import CalendarError, zone_of
from hub.promise.offer import Offer, OfferError, load_offer
from hub.store.admin.accounts import find_accounts
from hub.store.admin.errors import Conflict, Fault, Invalid, pointer
from hub.store.admin.tokens import Role
from hub.store.database import PooledConnection
from hub.store.promises import active_rules, promised_elsewhere, travelled
from hub.web.auth import NEEDS
from hub.web.openapi import UNKEYED
from hub.web.services import ApiRequest, Hub, Services

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]

QUICK_LINES: Final = 8
"""More lines than these may take a while to decide: that happens beside the loop."""


class PromiseLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of an item or kit."""

    sku: Text
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    value: Annotated[int, msgspec.Meta(ge=0)] = 0
    """What is paid for the line, in minor units of `currency`; routing policies may ask for it."""


class PromiseAddress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As much of an address as a promise needs. Without coordinates the distance is unknown, which is never near."""

    country: Country
    """ISO 3166-1 alpha-2."""
    region: Text | None = None
    postal_code: Text | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    timezone: Text | None = None
    """Such as Europe/Berlin; without it the day counts as ending where the country's day ends last."""


class PromiseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A basket and where it is to go."""

    lines: Annotated[list[PromiseLine], msgspec.Meta(min_length=1, max_length=200)]
    address: PromiseAddress
    channel: Text | None = None
    """An account's name or a connection's id; without it every node may serve."""
    deliver_by: Aware | None = None
    """Only what arrives by then."""
    reservation: Text | None = None
    """The asker's own cart: what it holds is not held against it."""
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] | None = None
    """Of the lines' values; the routing policy's when left out."""
    customer_group: Text | None = None
    tags: Annotated[list[Text], msgspec.Meta(max_length=50)] = []


class PromisedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units in a parcel, kits taken apart."""

    sku: str
    quantity: int


class PromisedParcel(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel of an option."""

    node: str
    ship_by: datetime
    deliver_by: datetime
    lines: list[PromisedLine]


class OptionView(msgspec.Struct, frozen=True, kw_only=True):
    """A promise that could be kept as of now."""

    service: str
    ship_by: datetime
    """When the last parcel has left."""
    deliver_by: datetime
    """When the last parcel has arrived."""
    cost: int
    """What the routing policy says it costs to send, in minor units of `currency`, rounded up."""
    currency: str
    nodes: list[str]
    confidence: int | None
    """Percent of past parcels from these nodes that would have made it; null until there are enough of them."""
    parcels: list[PromisedParcel]


class DeclinedView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a service, or every service, is not offered."""

    service: str | None
    reason: Why
    detail: str
    missing: list[PromisedLine]
    """What nobody has, and how much of it."""


class PromisesView(msgspec.Struct, frozen=True, kw_only=True):
    """What may be promised, the earliest first. An empty list comes with its reasons."""

    options: list[OptionView]
    declined: list[DeclinedView]
    timezone: str
    """Whose days the promises count."""
    at: datetime
    policy: str


WORDS = {
    Why.NOTHING_SHIPS: "Nothing in this basket is shipped.",
    Why.NOT_STOCKED: "No node that serves this holds as many units that are not promised to others.",
    Why.NO_NODE: "The goods are there, but no node that has them may or can send them to this place.",
    Why.NOT_IN_TIME: "It could be sent, but would not arrive by the time asked for.",
    Why.NO_ANSWER: "A condition of the routing policy has no answer for this basket.",
}


async def answer(hub: Services, merchant: str, data: PromiseBody) -> PromisesView:
    """Read what deciding needs in one snapshot, then decide. Raises `Invalid`, and `Conflict` without usable rules."""
    now, directory = hub.clock(), await hub.directory()
    _check(data, now)
    async with (
        hub.database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        unit = hub.unit(connection)
        account, shop, channel = await _channel(connection, merchant, data.channel)
        known, _ = await unit.items(merchant, account, {line.sku for line in data.lines}, ())
        lines = _components(data, known)
        items = await unit.items_by_id({line.item for line in lines})
        limits = {no: node for no, node in directory.nodes.items() if node.capacity_per_day is not None}
        free = await unit.free(items, lock=False)
        loads = dict.fromkeys(limits, 0)
        loads |= await unit.loads(limits, now, lock=False) if limits else {}
        loose = await promised_elsewhere(connection, merchant, items, cart=data.reservation)
        offer = _offer(await active_rules(connection, merchant) or hub.promise_rules)
        history = await travelled(connection, sorted(directory.nodes), now)
    basket = Basket(
        merchant=merchant,
        account=account,
        channel=channel,
        shop=shop,
        currency=data.currency,
        lines=lines,
        place=_place(data.address),
        timezone=data.address.timezone,
        deliver_by=data.deliver_by,
        customer_group=data.customer_group,
        tags=tuple(data.tags),
    )
    scene = Scene(directory, items, free, loads)
    if len(lines) <= QUICK_LINES:
        return _view(promise(basket, scene, offer, now, loose, history), items, now)
    found = await asyncio.to_thread(promise, basket, scene, offer, now, loose, history)
    return _view(found, items, now)


def _check(data: PromiseBody, now: datetime) -> None:
    faults = []
    address = data.address
    if (address.latitude is None) != (address.longitude is None):
        faults.append(Fault("give latitude and longitude together, or neither", pointer("address")))
    if address.timezone is not None:
        try:
            zone_of(address.timezone)
        except CalendarError as error:
            faults.append(Fault(str(error), pointer("address", "timezone")))
    if data.deliver_by is not None and data.deliver_by <= now:
        faults.append(Fault("has passed already", pointer("deliver_by")))
    if faults:
        raise Invalid(faults)


async def _channel(connection: PooledConnection, merchant: str, name: str | None) -> tuple[int, str | None, str]:
    """(account, its name, what policies call the channel); account 0 is served by every node."""
    if name is None:
        return 0, None, ""
    (account,) = await find_accounts(connection, merchant, [name], [pointer("channel")])
    link = await connection.fetchval("SELECT id FROM connection WHERE account_id = $1 AND enabled", account.id)
    return account.id, account.name, link or ""


def _components(data: PromiseBody, known: Mapping[str, ItemFacts]) -> tuple[Wanted, ...]:
    """One line for each item, kits taken apart as capture does. Raises `Invalid` for unknown SKUs."""
    faults = [
        Fault(f"no item {line.sku!r}", pointer("lines", index, "sku"))
        for index, line in enumerate(data.lines)
        if line.sku not in known
    ]
    if faults:
        raise Invalid(faults)
    merged: dict[int, Wanted] = {}
    for line in data.lines:
        parts = known[line.sku].components or ((known[line.sku].id, 1),)
        for item, each in parts:
            before = merged.get(item, Wanted(item, 0))
            value = before.value + line.value // len(parts)
            merged[item] = Wanted(item, before.units + each * line.quantity, value)
    return tuple(merged.values())


def _place(address: PromiseAddress) -> Place:
    return Contact(
        country=address.country,
        region=address.region,
        postal_code=address.postal_code,
        latitude=address.latitude,
        longitude=address.longitude,
    ).place


def _offer(text: str | None) -> Offer:
    if text is None:
        raise Conflict("no-promise-rules", "There are no promise rules; activate a policy of kind `promise`")
    try:
        return load_offer(text)
    except OfferError as error:
        raise Conflict("promise-rules-broken", f"{error}; activate a policy of kind `promise` that is sound") from error


def _view(found: Promised, items: Mapping[int, ItemFacts], now: datetime) -> PromisesView:
    return PromisesView(
        options=[_option(option, items, found.policy.currency) for option in found.options],
        declined=[_declined(one, items) for one in found.declined],
        timezone=found.timezone,
        at=now,
        policy=found.policy.version,
    )


def _option(option: Option, items: Mapping[int, ItemFacts], currency: str) -> OptionView:
    return OptionView(
        service=option.service,
        ship_by=option.ship_by,
        deliver_by=option.deliver_by,
        cost=-(-option.cost // 1000),
        currency=currency,
        nodes=[parcel.node for parcel in option.parcels],
        confidence=option.confidence,
        parcels=[_parcel(parcel, items) for parcel in option.parcels],
    )


def _parcel(parcel: Sent, items: Mapping[int, ItemFacts]) -> PromisedParcel:
    return PromisedParcel(
        node=parcel.node, ship_by=parcel.ship_by, deliver_by=parcel.deliver_by, lines=_lines(parcel.units, items)
    )


def _declined(one: Declined, items: Mapping[int, ItemFacts]) -> DeclinedView:
    detail = " ".join([WORDS[one.why], *(f"{note}." for note in one.notes)])
    return DeclinedView(service=one.service, reason=one.why, detail=detail, missing=_lines(one.missing, items))


def _lines(units: tuple[tuple[int, int], ...], items: Mapping[int, ItemFacts]) -> list[PromisedLine]:
    return [PromisedLine(sku=sku, quantity=count) for sku, count in sorted((items[no].sku, n) for no, n in units)]


class Promises(Controller):
    """What could be promised to a customer who has not bought yet."""

    path = "/promises"
    tags = ("promises",)

    @post("/", summary="Ask what may be promised", status_code=200, opt={UNKEYED: True, NEEDS: Role.VIEWER})
    async def ask(self, hub: Hub, request: ApiRequest, data: JSONBody[PromiseBody]) -> PromisesView:
        """Options by service with date, cost and nodes, as of now. Nothing is held: use `/reservations` for that."""
        return await answer(hub, request.user.merchant, data)
