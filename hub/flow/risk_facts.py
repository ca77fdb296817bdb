"""The facts that rules of holds read: `order.<fact>`. What is unknown is null: an error where it is compared by size.

People are read here and leave as flags, counts and names of lists: a fact never holds a name, a street, an e-mail
address or a number. Who they are is compared by digests of their normalised details.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from hub.domain.contact import Contact
from hub.domain.order import ON_ACCOUNT, DeliveryGroup, OrderContent, OrderLine
from hub.domain.payment import Position
from hub.flow.address_check import AddressCheck

if TYPE_CHECKING:
    from hub.flow.hold_rules import HoldPolicy

Value = str | int | bool | tuple[str, ...] | None

SECURED: Final = frozenset({"authorised", "paid", "part_refunded", "refunded"})
"""Words of channels that say the money is there, or was."""

CUSTOMER: Final = "customer"
ADDRESS: Final = "address"
BOTH: Final = "customer_address"

_NO_WORD: Final = re.compile(r"[\W_]+")


class Seen(NamedTuple):
    """How often a mark was seen before this order: at most as often as the look-up counts."""

    before: int = 0
    recent: int = 0
    known: bool = False
    """Whether the order has this mark already: it was counted when it came."""


class RiskView(NamedTuple):
    """What facts are read from: an order as a whole, or one group of it."""

    content: OrderContent
    connection: str
    account: str
    lines: tuple[OrderLine, ...]
    group: DeliveryGroup | None
    ship: Contact | None
    bill: Contact | None
    customer: Contact | None
    money: Callable[[], Position]
    """Added up when a rule asks for it."""
    seen: Mapping[str, Seen]
    """By kind of mark. Of people that nobody named no earlier order is known."""
    policy: "HoldPolicy"
    check: AddressCheck
    now: datetime


class Fact(StrEnum):
    """Where a fact comes from."""

    ORDER = "order"
    PEOPLE = "people"
    HISTORY = "history"
    """Earlier orders: counted when an order is captured, and when its people change."""
    CLOCK = "clock"
    """Becomes true by itself."""


class FactOf(NamedTuple):
    """One fact. Amounts are minor units of the order's own currency."""

    source: Fact
    read: Callable[[RiskView], Value]


def digest(text: str) -> bytes:
    """A mark of normalised text."""
    return hashlib.sha256(text.encode()).digest()


def email_of(contact: Contact | None) -> str | None:
    """An e-mail address as lists and marks know it: lower case, without spaces around."""
    text = (contact.email or "").strip().lower() if contact else ""
    return text if "@" in text else None


def phone_of(contact: Contact | None) -> str | None:
    """A telephone number as lists and marks know it: its digits, without leading zeros."""
    digits = re.sub(r"\D", "", contact.phone or "").lstrip("0") if contact else ""
    return digits if len(digits) >= 6 else None


def address_of(contact: Contact | None) -> str | None:
    """An address as marks know it: country, postal code and street without case, spaces and signs."""
    if contact is None or not contact.country or not any(contact.lines):
        return None
    words = (contact.country, contact.postal_code or contact.city or "", *contact.lines)
    return "|".join(_NO_WORD.sub("", word.casefold()) for word in words)


def marks_of(customer: Contact | None, ship: Contact | None) -> dict[str, bytes]:
    """Digests of who ordered and where to, by kind."""
    who = email_of(customer) or email_of(ship) or phone_of(customer) or phone_of(ship)
    where = address_of(ship)
    found = {}
    if who:
        found[CUSTOMER] = digest(who)
    if where:
        found[ADDRESS] = digest(where)
    if who and where:
        found[BOTH] = digest(f"{who}|{where}")
    return found


def _listed(view: RiskView) -> tuple[str, ...]:
    """Names of the lists that somebody or some place of the order is on."""
    people = [one for one in (view.ship, view.bill, view.customer) if one is not None]
    emails = {email for one in people if (email := email_of(one))}
    hashed = {digest(email).hex() for email in emails}
    phones = {digest(phone).hex() for one in people if (phone := phone_of(one))}
    domains = {email.rpartition("@")[2] for email in emails}
    places = {f"{one.country} {(one.postal_code or '').strip().upper()}" for one in people if one.country}
    countries = {one.country for one in people if one.country}
    return tuple(
        sorted(
            name
            for name, rule in view.policy.lists.items()
            if rule.emails & hashed
            or rule.phones & phones
            or rule.domains & domains
            or rule.postal_codes & places
            or rule.countries & countries
        )
    )


def _country(view: RiskView) -> str | None:
    place = view.group.place if view.group else None
    return (place.country if place else None) or (view.ship.country if view.ship else None)


def _billing_differs(view: RiskView) -> bool:
    one, other = address_of(view.ship), address_of(view.bill)
    return one is not None and other is not None and one != other


def _problems(view: RiskView) -> tuple[str, ...]:
    ships = view.group is not None and view.group.method.value in ("ship", "deliver")
    return view.check(view.ship or Contact()) if ships else ()


def secured(view: RiskView) -> bool:
    """Whether the money is there: by the channel's word, by terms, or by payments that cover the total."""
    if view.content.financial_status in SECURED or view.content.on_account:
        return True
    money = view.money()
    held = money.captured + sum(one.left for one in money.authorisations if not _over(one.expires_at, view))
    return held >= view.content.amounts.shop.total


def _financial_status(view: RiskView) -> Value:
    """The channel's word; an order on account that waits for nothing but its invoice is "on_account"."""
    owed = view.content.on_account and view.content.financial_status in (None, "pending")
    return ON_ACCOUNT if owed else view.content.financial_status


def _over(at: datetime | None, view: RiskView) -> bool:
    return at is not None and at <= view.now


def _hours_left(view: RiskView) -> int | None:
    ends = [one.expires_at for one in view.money().authorisations if one.left and one.expires_at is not None]
    return int((min(ends) - view.now).total_seconds() // 3600) if ends else None


def _expiring(view: RiskView) -> bool:
    left = _hours_left(view)
    return left is not None and left < view.policy.authorisation_ahead_hours


def _count(kind: str, *, recent: bool = False) -> Callable[[RiskView], Value]:
    def read(view: RiskView) -> Value:
        seen = view.seen.get(kind, Seen())
        return seen.recent if recent else seen.before

    return read


def _first(view: RiskView) -> bool:
    seen = view.seen.get(BOTH) or view.seen.get(ADDRESS)
    return seen is not None and seen.before == 0


def _goods(view: RiskView) -> int:
    return sum(line.subtotal - line.discount for line in view.lines)


_O, _P, _H, _C = Fact.ORDER, Fact.PEOPLE, Fact.HISTORY, Fact.CLOCK

FACTS: Final[Mapping[str, FactOf]] = {
    "channel": FactOf(_O, lambda v: v.connection),
    "account": FactOf(_O, lambda v: v.account),
    "source": FactOf(_O, lambda v: v.content.source),
    "currency": FactOf(_O, lambda v: v.content.currency),
    "value": FactOf(_O, _goods),
    "total": FactOf(_O, lambda v: v.content.amounts.shop.total),
    "lines": FactOf(_O, lambda v: len(v.lines)),
    "units": FactOf(_O, lambda v: sum(line.quantity for line in v.lines)),
    "skus": FactOf(_O, lambda v: tuple(line.sku for line in v.lines if line.sku)),
    "tags": FactOf(_O, lambda v: v.content.tags),
    "customer_group": FactOf(_O, lambda v: v.content.customer_group),
    "financial_status": FactOf(_O, _financial_status),
    "risk": FactOf(_O, lambda v: v.content.risk.lower() if v.content.risk else None),
    "company": FactOf(_O, lambda v: v.content.company),
    "purchase_order": FactOf(_O, lambda v: v.content.purchase_order),
    "terms_days": FactOf(_O, lambda v: v.content.terms_days),
    "on_account": FactOf(_O, lambda v: v.content.on_account),
    "tax_exempt": FactOf(_O, lambda v: v.content.tax_exempt),
    "ship_complete": FactOf(_O, lambda v: v.content.ship_complete),
    "approval_asked": FactOf(_O, lambda v: v.content.approval_asked),
    "captured": FactOf(_O, lambda v: v.money().captured),
    "secured": FactOf(_O, secured),
    "authorisation_hours_left": FactOf(_C, _hours_left),
    "authorisation_expiring": FactOf(_C, _expiring),
    "method": FactOf(_O, lambda v: v.group.method.value if v.group else None),
    "service": FactOf(_O, lambda v: v.group.service if v.group else None),
    "country": FactOf(_O, _country),
    "region": FactOf(_O, lambda v: v.group.place.region if v.group and v.group.place else None),
    "postal_code": FactOf(_O, lambda v: v.group.place.postal_code if v.group and v.group.place else None),
    "export": FactOf(
        _O, lambda v: bool(v.policy.home_countries) and _country(v) not in {None, *v.policy.home_countries}
    ),
    "bill_country": FactOf(_P, lambda v: v.bill.country if v.bill else None),
    "billing_differs": FactOf(_P, _billing_differs),
    "address_problems": FactOf(_P, _problems),
    "on_lists": FactOf(_P, _listed),
    "customer_orders": FactOf(_H, _count(CUSTOMER)),
    "customer_orders_recent": FactOf(_H, _count(CUSTOMER, recent=True)),
    "address_orders": FactOf(_H, _count(ADDRESS)),
    "address_orders_recent": FactOf(_H, _count(ADDRESS, recent=True)),
    "first_to_address": FactOf(_H, _first),
}
"""Every fact there is. Counts of earlier orders stop at two hundred."""


def facts_of(view: RiskView, names: frozenset[str]) -> dict[str, Value]:
    """The facts that are asked for."""
    return {name: FACTS[name].read(view) for name in names}
