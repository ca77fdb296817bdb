"""What a connection to a Business Central company needs to know."""

from typing import Annotated, Final

import msgspec

from hub.sdk.adapter import Secret
from hub.sdk.redaction import Masked
from hub.sdk.wire import ClientCredentials, RateLimit, Transport

BASE_URL: Final = "https://api.businesscentral.dynamics.com"
LOGIN_URL: Final = "https://login.microsoftonline.com"
SCOPE: Final = "https://api.businesscentral.dynamics.com/.default"

CALLS_PER_SECOND: Final = 20
"""Microsoft counts 6,000 calls in five minutes per user."""
BURST: Final = 100

Hidden = Annotated[str, msgspec.Meta(extra_json_schema={Secret: True})]
OptionalHidden = Annotated[str | None, msgspec.Meta(extra_json_schema={Secret: True})]


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One company of one environment, reached through an app registration, and how documents are booked there."""

    tenant: str
    """Directory (tenant) id of the merchant's Microsoft Entra ID."""
    environment: str = "production"
    company: str
    """Id of the company, a GUID."""
    client_id: str
    client_secret: Hidden
    base_url: str | None = None

    customer_number: str | None = None
    """Book everything on this one customer, so that no personal data leaves the hub. None: one per e-mail address."""
    web_customer: str = "WEB-CUSTOMER"
    """Number of the customer for buyers without an e-mail address."""
    shipping_account: str | None = None
    """G/L account of shipping."""
    charges_account: str | None = None
    """G/L account of lines without a SKU."""
    tips_account: str | None = None
    """G/L account of tips, which belong to others. None: `charges_account`."""
    customers_account: str | None = None
    """G/L account of what customers paid, applied to their invoices by the bookkeeper. Must allow direct posting;
    needed to book payments."""
    payments_account: str | None = None
    """G/L account on which payments are cleared, by methods that have none of their own."""
    gift_card_account: str | None = None
    """G/L account on which gift cards are cleared."""
    method_accounts: dict[str, str] = msgspec.field(default_factory=dict)
    """G/L account by payment method, as the channel names it: {"paypal": "11310"}."""
    tax_account: str | None = None
    """G/L account that tax is booked on as a line of its own, as the channel took it. None: Business Central computes
    the tax itself, and its total must agree."""
    untaxed_code: str | None = None
    """Tax group that keeps Business Central from adding tax of its own, put on every line with `tax_account`."""
    returns_account: str | None = None
    """G/L account that credit notes are booked on: item lines would put the goods back on the shelf."""

    stock_location: str | None = None
    """Name that the whole stock of the company is reported under; None when Business Central is no stock master."""
    webhook_url: str | None = None
    """Public address of this connection's webhooks; set, the subscriptions are made and kept alive."""
    webhook_secret: OptionalHidden = None
    """Shown with every notification as `clientState`. Empty: all are refused."""
    previous_webhook_secret: OptionalHidden = None
    """Still accepted while the secret is being changed."""


def account(settings: Settings) -> str:
    """A Business Central account is a company of an environment of a tenant."""
    return f"{settings.tenant}/{settings.environment}/{settings.company}"


def root(settings: Settings) -> str:
    """Path under which the API of the environment lies."""
    return f"/v2.0/{settings.tenant}/{settings.environment}/api/v2.0"


def company_path(settings: Settings) -> str:
    """Path of the company."""
    return f"{root(settings)}/companies({settings.company})"


def transport(settings: Settings) -> Transport:
    """OData over HTTPS with a token of Entra ID's client credentials grant."""
    login = settings.base_url or LOGIN_URL
    grant = ClientCredentials(
        token_url=f"{login}/{settings.tenant}/oauth2/v2.0/token",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scope=SCOPE,
    )
    limit = RateLimit(scope="account", key=account(settings), capacity=BURST, per_second=CALLS_PER_SECOND)
    return Transport(
        base_url=settings.base_url or BASE_URL,
        headers={"accept": "application/json", "accept-language": "en-US"},
        auth=grant,
        limits=(limit,),
    )


def webhook_secrets(settings: Settings) -> tuple[str, ...]:
    """Secrets that are valid now."""
    return tuple(one for one in (settings.webhook_secret, settings.previous_webhook_secret) if one)
