"""An order with nothing in it, for tests of one step: they put in what the step looks at."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from hub.domain.money import Amounts, AmountSet
from hub.domain.order import OrderContent
from hub.flow.aggregate import Order

NOON: Final = datetime(2026, 1, 16, 12, tzinfo=UTC)


def bare_order(**facts: Any) -> Order:
    """An order of a customer in the United States that the hub acts on."""
    known: dict[str, Any] = {
        "id": "01KF0X5B3GCDEFGHJKMN",
        "merchant": "default",
        "account": 1,
        "connection": "c1",
        "external_id": "1",
        "number": "1",
        "currency": "USD",
        "placed_at": NOON,
        "version": 1,
        "revision": 1,
        "acting": True,
    }
    return Order(**{**known, **facts})


def bare_content(**facts: Any) -> OrderContent:
    """What the channel said of it: no lines."""
    made = OrderContent(
        external_id="1",
        version=1,
        number="1",
        placed_at=NOON,
        currency="USD",
        amounts=AmountSet(shop=Amounts(currency="USD")),
        lines=(),
    )
    return msgspec.structs.replace(made, **facts)
