"""Until when an order may still be changed, by whom: windows from TOML, judged without I/O or clock."""

import tomllib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NamedTuple

import msgspec

from hub.domain.states import SliceState

Party = Literal["channel", "customer", "person"]
"""Who wants it: the channel's own fact, the customer on a page of ours, a person at the counter."""


class Wish(StrEnum):
    """What is to change."""

    CANCEL = "cancel"
    """All of an order."""
    QUANTITY = "quantity"
    """Fewer units of lines."""
    ADDRESS = "address"
    SERVICE = "service"
    METHOD = "method"
    DATE = "date"


LADDER: Final = ("never", "reserved", "released", "accepted", "picked", "packed", "ready")
"""How far units may be, least advanced first."""

_RUNG: Final = {
    SliceState.RELEASED: 2,
    SliceState.ACCEPTED: 3,
    SliceState.PICKED: 4,
    SliceState.PACKED: 5,
    SliceState.READY: 6,
}


class ChangePolicyError(ValueError):
    """A policy text that cannot be used; the text says which key and why."""


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One window. An empty condition is met by everything."""

    until: Literal["never", "reserved", "released", "accepted", "picked", "packed", "ready"]
    """How far the most advanced unit concerned may be. From "released" on a node is asked, and may refuse."""
    changes: tuple[Wish, ...] = ()
    by: tuple[Party, ...] = ()
    channels: tuple[str, ...] = ()
    """Connections by id, accounts by name, or sources."""
    minutes: int | None = None
    """Not later than this after the order was placed."""


class PaidBack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of money that was taken for units that are cancelled here."""

    how: Literal["refund", "ask", "channel"]
    """Have it refunded, raise `refund_due` for a person, or leave it to the channel."""
    channels: tuple[str, ...] = ()
    """Connections by id, accounts by name, or sources."""


class ChangePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Windows; the first whose conditions are met decides. Where none is, everything may be asked of a node."""

    version: str
    windows: tuple[Window, ...] = ()
    money: tuple[PaidBack, ...] = ()

    def paid_back(self, names: frozenset[str]) -> str:
        """What the first rule for a channel says, known by these names; refunded without one."""
        found = (one.how for one in self.money if not one.channels or names & set(one.channels))
        return next(found, "refund")


def load_change_policy(text: str) -> ChangePolicy:
    """Read a policy. Raises `ChangePolicyError` for the first thing that is wrong."""
    try:
        policy = msgspec.convert(tomllib.loads(text), ChangePolicy, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ChangePolicyError(f"change windows: {error}") from error
    if not policy.version:
        raise ChangePolicyError("change windows: version a policy needs a version")
    for number, window in enumerate(policy.windows, 1):
        if window.minutes is not None and window.minutes < 0:
            raise ChangePolicyError(f"change windows: window {number}: minutes must not be negative")
    return policy


class Asked(NamedTuple):
    """A change that somebody wants of an order, and how far its units are."""

    wish: Wish
    by: Party
    names: frozenset[str]
    """The channel's names: connection, account, source."""
    state: SliceState
    """Of the most advanced unit concerned that has not left."""
    placed_at: datetime


def why_not(policy: ChangePolicy, asked: Asked, now: datetime) -> str | None:
    """Why the window is closed; None while it is open."""
    window = next((one for one in policy.windows if _met(one, asked)), None)
    if window is None:
        return None
    if window.until == "never":
        return f"a change of this kind ({asked.wish.value}) is not taken from a {asked.by}"
    if window.minutes is not None and now > asked.placed_at + timedelta(minutes=window.minutes):
        return f"the window of {window.minutes} minutes after the order was placed is over"
    if _RUNG.get(asked.state, 1) > LADDER.index(window.until):
        return f"units of it are {asked.state.value} already, and the window closes with {window.until}"
    return None


def _met(window: Window, asked: Asked) -> bool:
    return (
        (not window.changes or asked.wish in window.changes)
        and (not window.by or asked.by in window.by)
        and (not window.channels or bool(asked.names & set(window.channels)))
    )
