"""The hub's own channel: orders that are captured through the API, not through a vendor."""

from typing import Final

import msgspec

from hub.sdk.adapter import Adapter, Kind
from hub.sdk.wire import Transport

NAME: Final = "direct"


class DirectSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to configure but the account's name."""

    account: str = NAME
    base_url: str | None = None


def _nowhere(settings: DirectSettings) -> Transport:
    return Transport(base_url=settings.base_url or "http://localhost")


DIRECT: Final = Adapter(
    name=NAME,
    title="Direct capture",
    kind=Kind.CHANNEL,
    settings=DirectSettings,
    account=lambda settings: settings.account,
    transport=_nowhere,
)
"""It receives and sends nothing: POST /orders writes its orders."""
