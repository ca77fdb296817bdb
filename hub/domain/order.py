"""What the customer asked: immutable revisions of an order, exactly as the channel gave it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.contact import Contact, Place
from hub.domain.money import AmountSet
from hub.domain.payment import Payment

ON_ACCOUNT: Final = "on_account"
"""Method of a payment that is owed by a company: no card, no authorisation, an invoice."""


class Method(StrEnum):
    """How a delivery group reaches the customer."""

    SHIP = "ship"
    PICK_UP = "pick_up"
    DELIVER = "deliver"
    DIGITAL = "digital"
    CARRIED_OUT = "carried_out"
    TRANSFER = "transfer"
    """To another node of ours, not to a customer."""


class ManagedBy(StrEnum):
    """Who moves the goods. Only hub-managed demand reserves, routes and ships."""

    HUB = "hub"
    CHANNEL = "channel"
    PARTNER = "partner"
    DONE = "done"


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was bought. Amounts are per line, in minor units of the order's shop currency."""

    external_id: str
    """The channel's line id; a fulfilment is confirmed with it."""
    quantity: int
    """What remains wanted after edits, in sold units; 0 for a line that an edit removed."""
    ordered: int | None = None
    """Sold units that the amounts are for, where edits changed the quantity; None when they are for `quantity`."""
    sku: str | None = None
    variant: str | None = None
    """The channel's own id of the variant; maps to an item where the SKU is missing or not unique."""
    title: str | None = None
    group: str = "main"
    unit_price: Decimal | None = None
    """Informative only, never multiplied into a booked amount."""
    subtotal: int = 0
    discount: int = 0
    tax: int = 0
    ships: bool = True
    gift_card: bool = False
    managed_by: ManagedBy = ManagedBy.HUB
    fulfilled_elsewhere: int = 0
    """Units that the channel says were fulfilled, by whomever."""
    refunded: int = 0
    """Units that the channel gave money back for after they had left; units cancelled before are not among them."""


class DeliveryGroup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Lines that go one way to one place. Routing decides per group."""

    key: str = "main"
    method: Method = Method.SHIP
    contact: str | None = None
    """Key of the contact; the person is not in this document."""
    place: Place | None = None
    pickup_location: str | None = None
    """The channel's id of the location where the customer collects or carries out, or where a transfer goes; a node's
    code where the channel has no such location."""
    source_location: str | None = None
    """Where a transfer comes from, named likewise; None leaves the choice to routing."""
    service: str | None = None
    not_before: datetime | None = None
    deliver_by: datetime | None = None
    keep_together: bool = False


NOT_HELD: Final = "no"
"""Of `OrderContent.held`: the channel says that nothing stops the order."""


class OrderContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The canonical order without personal data: what a revision stores."""

    external_id: str
    version: int
    """The vendor's own order of versions (a counter, or microseconds of its change time). Newest wins."""
    number: str
    placed_at: datetime
    currency: str
    amounts: AmountSet
    """The sale as placed."""
    lines: tuple[OrderLine, ...]
    groups: tuple[DeliveryGroup, ...] = ()
    entered_by: str | None = None
    """Who entered this revision through the API, as rows name people; None for channels."""
    redirected: tuple[DeliveryGroup, ...] = ()
    """As the channel asks for them: groups whose customer collects elsewhere, or has it shipped, by a person's word."""
    edited: AmountSet | None = None
    refunded: AmountSet | None = None
    payments: tuple[Payment, ...] = ()
    presentment_currency: str | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    moved: tuple[str, ...] = ()
    """Contacts whose address was changed here. What the channel said of each stands beside it in the order's contacts,
    under `told_key`: the channel's word counts again once it is another one."""
    cut: dict[str, int] = {}
    """Sold units by line id that were cancelled here and that the channel has not taken off yet; the lines say what
    is wanted without them."""
    cancelled_here: bool = False
    """It was the hub that cancelled the whole order, and the channel has not said so too."""
    cancel_asked: bool = False
    """The customer asked the channel to cancel what has not gone, and the channel waits for our answer. The lines
    say what is still wanted; once nothing is on its way any more, the channel is told to cancel."""
    closed_at: datetime | None = None
    test: bool = False
    source: str | None = None
    """Where within the channel: web, pos, draft, a marketplace's name. Informative, and a condition in policies."""
    customer_group: str | None = None
    tags: tuple[str, ...] = ()
    related_to: str | None = None
    """Our id of the order that this one came from, and `relation` in which way."""
    relation: str | None = None
    """exchange, replacement, edited_into."""
    financial_status: str | None = None
    """Canonical word from the code table: pending, authorised, paid, part_paid, refunded, part_refunded, voided."""
    risk: str | None = None
    """The channel's own word on how risky it is, as it came (low, medium, high, ...). A fact for rules of holds."""
    held: str | None = None
    """Why the channel, or another of its apps, wants nothing to leave, in its words; `NOT_HELD` where nothing stops it,
    None where this message does not say."""
    locale: str | None = None
    """The customer's language, as the channel says it (BCP 47: en, de-AT): what is told in words is told in it."""
    company: str | None = None
    """The buying company, by the channel's id or name of it; None for people. Who signs for it is in the contacts."""
    purchase_order: str | None = None
    """The company's own number of the order: on papers and in the books."""
    terms: str | None = None
    """Payment terms in the channel's own words: "Net 30". With terms the order is on account: nothing is authorised."""
    terms_days: int | None = None
    """Days after the invoice by which the company pays."""
    tax_exempt: bool = False
    """No tax is due, by the channel's own word; its amounts say so too."""
    ship_complete: bool = False
    """Each delivery group leaves whole or not at all."""
    approval_asked: bool = False
    """The channel, or whoever sent it, wants a person to approve it before anything leaves."""

    @property
    def on_account(self) -> bool:
        """Whether the company pays later: by its terms, or by a payment of the method `on_account`."""
        return bool(self.terms or self.terms_days) or any(payment.method == ON_ACCOUNT for payment in self.payments)


class OrderSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One inbound snapshot of an order: its content, and the people in it, kept apart."""

    content: OrderContent
    contacts: dict[str, Contact] = {}
    """By key: "ship", "bill", "customer", or what the groups name."""
    problems: tuple["Problem", ...] = ()
    """What could not be understood; the order exists all the same and its release is held."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value that mapping could not turn into a canonical one. Raw is kept, a default is never invented."""

    kind: str
    """Stable code: unmapped_status, bad_quantity, bad_money, missing_address, unmapped_country, ..."""
    field: str
    path: str
    value: str
    line: str | None = None
    """External id of the line it concerns; None for the whole order."""
