"""What a connection to an Odoo database needs to know."""

from typing import Annotated

import msgspec

from hub.sdk.adapter import Secret
from hub.sdk.redaction import Masked
from hub.sdk.wire import Transport


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One database of one Odoo server, and how documents are booked there. Ids are Odoo's own."""

    host: str
    """Host name of the server: "acme.odoo.com"."""
    database: str
    api_key: Annotated[str, msgspec.Meta(extra_json_schema={Secret: True})]
    """Of a user that may sell, ship, invoice and create contacts (Preferences > Account Security > New API Key)."""
    base_url: str | None = None

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
    other_sku: str = "OTHER"
    """Internal reference of the service product for lines without a SKU."""


def account(settings: Settings) -> str:
    """An Odoo account is a database on a host."""
    return f"{settings.database}@{settings.host}"


def transport(settings: Settings) -> Transport:
    """JSON-2 over HTTPS with a static key. Odoo documents no rate limit; a proxy's 429 is waited for."""
    return Transport(
        base_url=settings.base_url or f"https://{settings.host}",
        headers={
            "authorization": f"bearer {settings.api_key}",
            "x-odoo-database": settings.database,
            "content-type": "application/json",
        },
    )
