"""What a connection to a Tryton database needs to know."""

from typing import Annotated

import msgspec

from hub.sdk.adapter import Secret
from hub.sdk.redaction import Masked
from hub.sdk.wire import Transport


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One company of one database, and how documents are booked there. Accounts are the codes of the chart."""

    host: str
    """Host name of the server."""
    database: str
    username: str
    password: Annotated[str, msgspec.Meta(extra_json_schema={Secret: True})]
    """Of a user in the groups Sales, Stock, Stock Force Assignment and Accounting, with access to the company."""
    base_url: str | None = None

    company_id: int = 1
    warehouse_id: int | None = None
    """Deliver from this warehouse; None takes the only one."""
    party_id: int | None = None
    """Book everything on this one party, so that no personal data leaves the hub. None: one party per e-mail."""
    web_customer: str = "Web customer"
    """Name of the party for customers without an e-mail address."""
    receivable_account: str
    revenue_account: str
    """Goods, and whatever has no account of its own below."""
    tax_account: str
    """Tax is a line of its own, as the channel took it."""
    shipping_account: str | None = None
    charges_account: str | None = None
    """Lines without a SKU."""
    tips_account: str | None = None
    """Tips, which belong to others; None books them with the other lines without a SKU."""
    payments_account: str | None = None
    """Clearing account of payments, by methods that have none of their own."""
    gift_card_account: str | None = None
    """Clearing account of what was paid with gift cards."""
    adjustment_warehouses: dict[str, str] = msgspec.field(default_factory=dict)
    """Code of Tryton's warehouse by the code of a node of ours, for stock adjustments: {"EAST": "WH"}."""
    method_accounts: dict[str, str] = msgspec.field(default_factory=dict)
    """Clearing account by payment method, as the channel names it: {"paypal": "1.1.5"}."""


def account(settings: Settings) -> str:
    """A Tryton account is a company of a database on a host."""
    return f"{settings.database}@{settings.host}/{settings.company_id}"


def transport(settings: Settings) -> Transport:
    """JSON-RPC over HTTPS; the session of each posting is in its calls' own headers. Tryton documents no rate limit."""
    return Transport(
        base_url=settings.base_url or f"https://{settings.host}",
        headers={"content-type": "application/json"},
    )
