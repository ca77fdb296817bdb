"""How stores are worked with: time to accept, to collect and to claim, codes, exclusion. From TOML, pure."""

import tomllib
from datetime import datetime, time, timedelta
from typing import Final, Literal

import msgspec

from hub.domain.network import Node, NodeKind
from hub.promise.opening import after_open, closing_after

SHORTEST_CODE: Final = 4
LONGEST_CODE: Final = 12


class PickUpPolicyError(ValueError):
    """A policy text that cannot be used; the text says which key and why."""


class Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a node is open, by its own clock; its working days and holidays stand in its calendar."""

    opens: time = time(9)
    closes: time = time(18)


class AcceptRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a node may leave a fulfilment order unanswered."""

    minutes: dict[NodeKind, int] = {}
    """Minutes of opening hours by kind of node; a kind that is not named may take its time."""
    suppliers: Literal["person", "reroute"] = "person"
    """What becomes of a purchase order that is not acknowledged: somebody is told, or it is also taken back."""
    excluded_hours: int = 72
    """How long a node that refused, was short or never answered is left out of the demand's next decisions."""


class CollectRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long goods wait for the customer, and what becomes of them then."""

    days: int = 7
    expired: Literal["cancel", "refund", "person"] = "refund"
    put_back: Literal["at_once", "by_hand"] = "at_once"
    ship_to_store: bool = False


class CodeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code that a customer collects with."""

    required: bool = True
    length: int = 6
    tries: int = 5


class ClaimRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Orders that several stores are offered, and the first takes."""

    stores: int = 0
    minutes: int = 30


class PickUpPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules of pick-up and store. Immutable."""

    version: str
    hours: Hours = Hours()
    nodes: dict[str, Hours] = {}
    """By node code."""
    accept: AcceptRule = AcceptRule()
    collect: CollectRule = CollectRule()
    code: CodeRule = CodeRule()
    claim: ClaimRule = ClaimRule()

    def hours_of(self, node: Node) -> Hours:
        """When a node is open."""
        return self.nodes.get(node.code, self.hours)

    def accept_by(self, now: datetime, node: Node) -> datetime | None:
        """Until when a node may answer. Raises `hub.promise.calendar.CalendarError`."""
        minutes = self.accept.minutes.get(node.kind)
        return None if minutes is None else self.after(now, minutes, node)

    def claim_by(self, now: datetime, node: Node) -> datetime:
        """Until when a node may take what several are offered. Raises `hub.promise.calendar.CalendarError`."""
        return self.after(now, self.claim.minutes, node)

    def collect_by(self, now: datetime, node: Node) -> datetime:
        """Until when the customer may collect. Raises `hub.promise.calendar.CalendarError`."""
        return closing_after(now, self.collect.days, self.hours_of(node).closes, node.calendar, node.timezone)

    def excluded_until(self, now: datetime) -> datetime:
        """End of the time in which a node is left out."""
        return now + timedelta(hours=self.accept.excluded_hours)

    def after(self, now: datetime, minutes: int, node: Node) -> datetime:
        """So many minutes of a node's opening hours later. Raises `hub.promise.calendar.CalendarError`."""
        hours = self.hours_of(node)
        return after_open(now, minutes, hours.opens, hours.closes, node.calendar, node.timezone)


def load_pick_up_policy(text: str) -> PickUpPolicy:
    """Read a policy. Raises `PickUpPolicyError` for the first thing that is wrong."""
    try:
        policy = msgspec.convert(tomllib.loads(text), PickUpPolicy, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PickUpPolicyError(f"pick-up policy: {error}") from error
    open_hours = [("hours", policy.hours), *((f"nodes.{code}", hours) for code, hours in policy.nodes.items())]
    for key, fine, told in (
        ("version", bool(policy.version), "a policy needs a version"),
        *((key, hours.opens < hours.closes, "a node closes after it opens") for key, hours in open_hours),
        ("accept.minutes", all(m > 0 for m in policy.accept.minutes.values()), "leave a kind out to wait for ever"),
        ("accept.excluded_hours", policy.accept.excluded_hours >= 0, "must not be negative"),
        ("collect.days", 0 <= policy.collect.days <= 365, "are from 0 to 365"),
        ("code.length", SHORTEST_CODE <= policy.code.length <= LONGEST_CODE, "is from 4 to 12 digits"),
        ("code.tries", 1 <= policy.code.tries <= 20, "are from 1 to 20"),
        ("claim.stores", policy.claim.stores == 0 or 2 <= policy.claim.stores <= 50, "0 is off, else from 2 to 50"),
        ("claim.minutes", policy.claim.minutes > 0, "must be above 0"),
    ):
        if not fine:
            raise PickUpPolicyError(f"pick-up policy: {key}: {told}")
    return policy
