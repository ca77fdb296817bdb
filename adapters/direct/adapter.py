"""Orders captured through the hub's own API: a channel without a vendor, and with the merchant's payment service."""

from typing import Final

from adapters.direct.payments import capture_payment, refund_payment, void_payment
from adapters.direct.settings import Settings, account, transport
from hub.sdk.adapter import Adapter, Kind

ADAPTER: Final = Adapter(
    name="direct",
    title="Direct capture",
    kind=Kind.CHANNEL,
    settings=Settings,
    account=account,
    transport=transport,
    capture_payment=capture_payment,
    void_payment=void_payment,
    refund_payment=refund_payment,
)

__all__ = ["ADAPTER", "Settings"]
