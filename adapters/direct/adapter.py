"""Orders captured through the hub's own API: a channel without a vendor."""

from typing import Final

import msgspec

from hub.sdk.adapter import Adapter, Kind
from hub.sdk.wire import Transport


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to configure but the channel's name."""

    channel: str = "direct"
    base_url: str | None = None
    """Every adapter has it; there is nobody to reach."""


def account(settings: Settings) -> str:
    """The channel's name is the account's."""
    return settings.channel


def transport(settings: Settings) -> Transport:
    """There is nobody to call."""
    return Transport(base_url="http://127.0.0.1:9")


ADAPTER: Final = Adapter(
    name="direct", title="Direct capture", kind=Kind.CHANNEL, settings=Settings, account=account, transport=transport
)
