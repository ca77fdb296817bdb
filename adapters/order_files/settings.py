"""What a connection for order files is configured with."""

from typing import Final

from hub.sdk.file_server import FileServer, Secret
from hub.sdk.tabular import Layout
from hub.sdk.wire import NoAuth, Transport

NOWHERE: Final = "http://127.0.0.1:9"


class Settings(FileServer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file server, or uploads, or both; and what the files look like."""

    channel: str
    """The sender's name: identities of orders are told apart by it."""
    webhook_secret: Secret = None
    """For uploads: `whsec_` and base64, as Standard Webhooks has it. Without one nothing can be uploaded."""
    previous_webhook_secret: Secret = None
    """Valid too, while the sender changes over."""

    base_url: str | None = None
    """The file server, `sftp://host` or `sftp://host:port`; without one there are uploads only."""
    incoming: str = "orders"
    claimed: str = "orders/taking"
    archive: str = "orders/archive"
    error: str = "orders/error"

    layout: Layout = Layout()
    """Of tables; its numbers, times and names also hold for JSON files."""
    lines: str = "lines"
    """Where a JSON order keeps its lines: a path, "items" or "body.items"."""
    priced: bool = True
    """Whether files state what lines cost. If not, orders have no amounts, by declaration."""
    currency: str | None = None
    """Of orders that name none."""
    tax_included: bool = False
    """Whether amounts hold the tax, where orders do not say it."""

    confirmations: str = "confirmations"
    """Folder that is told what left."""
    stock: str = "stock"
    """Folder that is told what can be sold."""
    writes: str = "csv"
    """How files are written: csv (by the layout) or json."""

    def __post_init__(self) -> None:
        if self.writes not in ("csv", "json"):
            raise ValueError("writes is csv or json")


def account(settings: Settings) -> str:
    """The sender's name."""
    return settings.channel


def transport(settings: Settings) -> Transport:
    """The file server; without one there is nobody to reach."""
    if not settings.base_url:
        return Transport(base_url=NOWHERE, auth=NoAuth())
    return Transport(base_url=settings.base_url, auth=settings.login())
