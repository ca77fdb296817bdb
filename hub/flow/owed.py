"""Money of units that were paid for and cancelled here: it goes back once the channel knows that they are cancelled.

Not before: a channel may refuse the cancel, and then the goods leave, paid for. What a channel cancels by itself is its
own to pay back.
"""

from typing import Final

from hub.domain.facts import CancelTold
from hub.flow.aggregate import Order
from hub.flow.amend import channel_names
from hub.flow.batch import Batch
from hub.flow.pick_up import NOT_COLLECTED
from hub.flow.refund import REFUND_DUE, Wish, ask_refund, not_refunded, refundable, value_of

WHO: Final = "hub"


def pay_back(order: Order, told: CancelTold, batch: Batch) -> None:
    """Have the money of what the channel was told to cancel given back, or told, as the merchant's policy says.

    The peers of the order are known.
    """
    content = order.content
    if content is None or not order.acting:
        return
    wish = _wish(order, told)
    how = _how(order, told, batch)
    if wish is None or how == "channel":
        return
    if how == "refund":
        ask_refund(order, wish, batch)
        return
    shares = sum(value_of(order, line, units) for line, units in wish.lines.items())
    amount = min(refundable(order), shares) if wish.lines else refundable(order)
    lines = f', "lines": {wish.lines}' if wish.lines else ""
    order.troubles.append(
        order.trouble(
            kind=REFUND_DUE,
            cause=f"{order.connection}: order {order.external_id}",
            next_step=f"{amount} {order.currency} (minor units) were paid for units that were cancelled before they "
            f'left. Give them back: POST /api/v1/refunds {{"order": "{order.id}"{lines}}}. A refund closes this.',
        )
    )


def _wish(order: Order, told: CancelTold) -> Wish | None:
    """All that is left of what was paid; of single lines, their share. None when nothing was taken or all went back."""
    if refundable(order) <= 0:
        return None
    if told.lines is None:
        return Wish(reason=told.reason, who=WHO, unsold=True)
    lines = not_refunded(order, told.lines)
    return Wish(lines=lines, reason=told.reason, who=WHO, capped=True, unsold=True) if lines else None


def _how(order: Order, told: CancelTold, batch: Batch) -> str:
    link = batch.directory.links.get(batch.directory.successor(order.connection))
    if link is not None and link.adapter.pays_back_cancelled:
        return "channel"
    if told.reason == NOT_COLLECTED:
        expired = batch.directory.pick_up_policy(order.merchant).collect.expired
        return "refund" if expired == "refund" else "channel"
    return batch.directory.change_policy(order.merchant).paid_back(channel_names(order, batch))
