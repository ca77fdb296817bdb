"""What a connection to an Odoo database needs to know."""

from typing import Annotated, Final, Literal

import msgspec

from hub.sdk.adapter import Secret
from hub.sdk.redaction import Masked
from hub.sdk.wire import Transport

OVERLAP_SECONDS: Final = 600
"""How far a pull looks back over its own cursor: a record is dated by the beginning of its transaction."""


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One database of one Odoo server, and how documents are booked there. Ids are Odoo's own."""

    host: str
    """Host name of the server: "acme.odoo.com"."""
    database: str
    api_key: Annotated[str, msgspec.Meta(extra_json_schema={Secret: True})]
    """Of a user that may sell, ship, invoice and create contacts (Preferences > Account Security > New API Key)."""
    base_url: str | None = None
    protocol: Literal["auto", "json2", "jsonrpc"] = "auto"
    """JSON-2 exists since Odoo 19 and may be switched off: `auto` tries it, and falls back where `login` is set."""
    login: str | None = None
    """Log-in name of the key's user: JSON-RPC asks for it, JSON-2 does not."""

    warehouses: tuple[str, ...] = ()
    """Short names of the warehouses that are worked for the hub ("WH"). Empty: this Odoo keeps the books only."""
    wait_for_stock: bool = False
    """Leave what Odoo cannot reserve waiting in its transfer, not yet accepted, instead of telling it short at once."""
    shipping_methods: dict[str, int] = msgspec.field(default_factory=dict)
    """Odoo's delivery method per service of ours. Empty: the warehouse chooses, and reads it in the transfer's note."""

    company_id: int | None = None
    """Book in this company; None leaves it to the user's own."""
    warehouse_id: int | None = None
    """Deliver from this warehouse; None leaves it to Odoo."""
    journal_id: int | None = None
    """Journal of invoices and credit notes; None leaves it to Odoo."""
    pricelists: dict[str, int] = msgspec.field(default_factory=dict)
    """Price list per ISO 4217 code, for orders in another currency than the company's own."""
    tax_ids: tuple[int, ...] = ()
    """Taxes that Odoo computes on every taxed line. Empty: the tax is a line of its own, as the channel took it."""
    partner_id: int | None = None
    """Book everything on this one contact, so that no personal data leaves the hub. None: one contact per e-mail."""
    web_customer: str = "WEB-CUSTOMER"
    """Reference of the contact for customers without an e-mail address."""
    create_products: bool = False
    """Create what is sold and unknown to Odoo, instead of asking a person."""
    shipping_sku: str = "SHIPPING"
    """Internal reference of the service product that shipping is booked on."""
    tax_sku: str = "SALES-TAX"
    """Internal reference of the service product that tax is booked on; its income account is the tax account."""
    tip_sku: str = "TIP"
    """Internal reference of the service product for tips; its income account is the tips' clearing account."""
    clearing_journal_id: int | None = None
    """General journal of payments; None leaves it to Odoo."""
    receivable_account_id: int | None = None
    """Account that customers owe on; needed to book payments."""
    payments_account_id: int | None = None
    """Clearing account of payments, by methods that have none of their own."""
    gift_card_account_id: int | None = None
    """Clearing account of what was paid with gift cards."""
    method_account_ids: dict[str, int] = msgspec.field(default_factory=dict)
    """Clearing account by payment method, as the channel names it: {"paypal": 412}."""
    adjustment_type_id: int | None = None
    """Operation type of stock adjustments, an internal transfer; needed to book them."""
    adjustment_location_id: int | None = None
    """Location that stock adjustments go to and come from ("Inventory adjustment"); needed to book them."""
    stock_location_ids: dict[str, int] = msgspec.field(default_factory=dict)
    """Odoo's stock location by the code of a node of ours, for stock adjustments: {"EAST": 8}."""
    other_sku: str = "OTHER"
    """Internal reference of the service product for lines without a SKU."""


def account(settings: Settings) -> str:
    """An Odoo account is a database on a host."""
    return f"{settings.database}@{settings.host}"


def transport(settings: Settings) -> Transport:
    """HTTPS with a static key, which JSON-RPC carries in the body instead.

    Odoo documents no rate limit; a proxy's 429 is waited for.
    """
    return Transport(
        base_url=settings.base_url or f"https://{settings.host}",
        headers={
            "authorization": f"bearer {settings.api_key}",
            "x-odoo-database": settings.database,
            "content-type": "application/json",
        },
    )
