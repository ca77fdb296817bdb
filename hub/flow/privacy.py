"""What a channel passes on from a person about their data: forget it, or say what there is."""

from collections.abc import Sequence
from typing import Final

from hub.domain.facts import DisclosureAsked, ErasureAsked
from hub.flow.batch import Batch
from hub.flow.carry import Parked
from hub.flow.ports import Inbound, Unit
from hub.flow.trouble import Trouble

NAMED_AT_MOST: Final = 20


async def take_privacy(
    unit: Unit, messages: Sequence[tuple[Inbound, ErasureAsked | DisclosureAsked]], batch: Batch
) -> Parked:
    """Forget the people of orders that are over; what still has to reach somebody, and every question, needs a person.

    Raw bodies are not searched: they are forgotten by their own retention.
    """
    parked: Parked = []
    for inbound, fact in messages:
        if isinstance(fact, DisclosureAsked):
            step = (
                f"Send the channel's account what the hub knows: GET /api/v1/orders for {_named(fact.orders)}. "
                "Then resolve this; the law gives 30 days."
            )
            parked.append((inbound, Trouble("disclosure_asked", f"{inbound.connection}: {fact.request}", step)))
            continue
        open_orders = await unit.forget_people(inbound.account, None if fact.everybody else fact.orders)
        if open_orders:
            step = (
                f"Orders {_named(open_orders)} are not over. When they are closed or cancelled, retry: it forgets them."
            )
            parked.append((inbound, Trouble("erasure_waits", f"{inbound.connection}: {fact.request}", step)))
    return parked


def _named(orders: Sequence[str]) -> str:
    shown = ", ".join(orders[:NAMED_AT_MOST]) or "none that the channel names"
    return f"{shown} and {len(orders) - NAMED_AT_MOST} more" if len(orders) > NAMED_AT_MOST else shown
