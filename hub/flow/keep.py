"""What stands although the channel's newest word does not say it: facts of before, and what was decided here. Pure."""

from typing import Final

import msgspec

from hub.domain.order import NOT_HELD, OrderContent
from hub.flow.cancel_back import keep_cancelled
from hub.flow.pick_up import keep_redirected

NOT_ALWAYS_TOLD: Final = ("risk", "held", "company", "terms", "terms_days", "locale")
"""Facts of an order that only some messages of a channel carry: a webhook knows the company, a read knows the risk."""


def keep(old: OrderContent | None, new: OrderContent) -> OrderContent:
    """A channel's newer content as the order takes it over."""
    return keep_cancelled(old, keep_redirected(old, keep_told(old, new)))


def keep_told(old: OrderContent | None, new: OrderContent) -> OrderContent:
    """A newer content that is silent on a fact leaves it as it was told before."""
    if old is None:
        return new
    kept = {
        name: told
        for name in NOT_ALWAYS_TOLD
        if getattr(new, name) is None and (told := getattr(old, name)) is not None
    }
    if old.held is None and new.held == NOT_HELD:
        # That nothing stops it is no news of an order that nothing ever stopped.
        kept["held"] = None
    return msgspec.structs.replace(new, **kept) if kept else new
