"""Where a supplier answers a purchase order without logging in: a signed address that ends by itself. Pure."""

import hashlib
from datetime import datetime
from typing import Final

from hub.domain.signed_link import sign

PATH: Final = "/s"
LINK_DAYS: Final = 60
"""Longer than a usual delivery time, counted from when the link is made."""


def supplier_key(link_key: bytes) -> bytes:
    """The key of suppliers' links, made from that of customers': neither's link is the other's."""
    return hashlib.sha256(b"crossdock supplier links 1 " + link_key).digest()


def supplier_url(base: str, fulfilment: str, until: datetime, key: bytes) -> str:
    """The address of a purchase order's page. `base` is the hub's public address, without a trailing slash."""
    return f"{base}{PATH}/{sign(fulfilment, until, key)}"
