"""Where a customer sees an order without logging in: a signed address that ends by itself. Pure."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from hub.domain.signed_link import sign

PATH: Final = "/o"
LINK_DAYS: Final = 120
"""Longer than any usual return window, counted from when the link is made."""


def link_key(secret: bytes) -> bytes:
    """The key of links, derived from the hub's own: whoever learns it opens no stored secret."""
    return hashlib.sha256(b"crossdock customer links 1 " + secret).digest()


def customer_url(base: str, order: str, until: datetime, key: bytes) -> str:
    """The address of an order's page. `base` is the hub's public address, without a trailing slash."""
    return f"{base}{PATH}/{sign(order, until, key)}"


def usual_end(now: datetime) -> datetime:
    """Until when a link made now is good, unless somebody says otherwise."""
    return now + timedelta(days=LINK_DAYS)
