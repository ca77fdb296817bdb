"""What a connection for order files is configured with."""

from typing import Annotated, Final

import msgspec

from hub.sdk.folders import Folders
from hub.sdk.redaction import Masked
from hub.sdk.tabular import Layout
from hub.sdk.wire import NoAuth, Ssh, Transport

Secret = Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})]

NOWHERE: Final = "http://127.0.0.1:9"


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file server, or uploads, or both; and what the files look like."""

    channel: str
    """The sender's name: identities of orders are told apart by it."""
    webhook_secret: Secret = None
    """For uploads: `whsec_` and base64, as Standard Webhooks has it. Without one nothing can be uploaded."""
    previous_webhook_secret: Secret = None
    """Valid too, while the sender changes over."""

    base_url: str | None = None
    """The file server, `sftp://host` or `sftp://host:port`; without one there are uploads only."""
    username: str = ""
    password: Secret = None
    private_key: Secret = None
    """PEM or OpenSSH text, instead of a password."""
    passphrase: Secret = None
    host_keys: tuple[str, ...] = ()
    """What the server must show: `SHA256:...` fingerprints or public keys. The connection test names what it shows."""

    incoming: str = "orders"
    claimed: str = "orders/taking"
    archive: str = "orders/archive"
    error: str = "orders/error"
    pattern: str = "*"
    settle_seconds: float = 10.0
    done_suffix: str | None = None

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
    staging: str | None = "crossdock"
    """A folder of ours on the same disk, for files on their way; see README.md."""
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
    login = Ssh(
        username=settings.username,
        password=settings.password or None,
        private_key=settings.private_key or None,
        passphrase=settings.passphrase or None,
        host_keys=settings.host_keys,
    )
    return Transport(base_url=settings.base_url, auth=login)


def folders(settings: Settings) -> Folders:
    """Where files are taken from and put away."""
    return Folders(
        incoming=settings.incoming,
        claimed=settings.claimed,
        archive=settings.archive,
        error=settings.error,
        pattern=settings.pattern,
        settle_seconds=settings.settle_seconds,
        done_suffix=settings.done_suffix,
    )
