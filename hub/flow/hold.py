"""Questions that a snapshot raises: what holds release, what holds posting, what a person must know."""

from datetime import datetime
from typing import Final

from hub.domain.demand import Hold
from hub.domain.order import NOT_HELD, OrderSnapshot, Problem
from hub.domain.states import OrderState
from hub.flow.aggregate import Order
from hub.flow.refusal import CannotDo
from hub.flow.trouble import Trouble

HARMLESS: Final = frozenset({"bad_time"})
"""Problems that stop nothing: told, and the order goes on."""

MONEY: Final = frozenset({"bad_money", "total_mismatch"})
"""Problems that stop the books, never the goods (law 10); so do words of payments that no table knows."""

UNMAPPED_PAYMENT: Final = "unmapped_payment"
POSTING: Final = "posting"
"""Scope of a hold that stops the books only."""

RESTORED: Final = "restored"
"""Kind of what is held after a restore; see `restored.py`."""

NEXT_STEPS: Final = {
    "bad_quantity": "Correct the line's quantity at the channel; its next update is taken up by itself.",
    "missing_address": "Complete the delivery address at the channel, or with POST /api/v1/orders/{id}/address.",
    "unmapped_country": "Add the country to the connection's table: PUT /api/v1/connections/{id}/tables/country.",
    "unmapped_status": "Add the word to the connection's table: PUT /api/v1/connections/{id}/tables/status.",
    "missing_field": "The channel left out a field that is needed; correct the order there or set it in the overlay.",
    "bad_money": "An amount cannot be booked. Correct it at the channel; goods move on, the books wait.",
    "bad_time": "A time could not be read; the rest of the order stands.",
    "overlay_failed": "An expression of the connection's mapping overlay failed: correct it and try again.",
    "total_mismatch": "The channel's total differs from the sum of its parts; posting waits until they agree.",
}


def question(order: Order, snapshot: OrderSnapshot, now: datetime) -> None:
    """Hold what the snapshot leaves open, and lift what an earlier snapshot left open and this one answers."""
    open_reasons = set()
    open_kinds = {problem.kind for problem in snapshot.problems}
    held = snapshot.content.held
    pending = held not in (None, NOT_HELD) and snapshot.content.financial_status == "pending"
    for problem in snapshot.problems:
        reason = f"{problem.kind}: {problem.field} at {problem.path} is {problem.value!r}"
        if not (pending and problem.kind == "missing_address"):
            # The channel gives the address with the payment; till then it holds, and nobody is asked.
            order.troubles.append(trouble_of(order, problem))
        if problem.kind not in HARMLESS:
            open_reasons.add(reason)
            books_only = problem.kind in MONEY or problem.kind.startswith(UNMAPPED_PAYMENT)
            scope = POSTING if books_only else "order"
            stops = ("post",) if books_only else ("release",)
            order.hold(problem.kind, reason, owner="hub", at=now, scope=scope, rule="revision", stops=stops)
    if held not in (None, NOT_HELD):
        reason = f"held at the channel: {held}"
        open_reasons.add(reason)
        order.hold("channel_hold", reason, owner="channel", at=now, rule="revision")
    difference = snapshot.content.amounts.difference
    if difference:
        open_kinds.add("total_mismatch")
        reason = f"the channel's total differs by {difference} {order.currency}"
        open_reasons.add(reason)
        order.hold("total_mismatch", reason, owner="hub", at=now, scope=POSTING, rule="revision", stops=("post",))
    for hold in list(order.holds.values()):
        if hold.active and hold.lift_rule == "revision" and hold.reason not in open_reasons:
            order.end_hold(hold.no, now)
            if hold.kind not in open_kinds:
                order.mend(hold.kind)
    if difference:
        order.troubles.append(
            order.trouble(
                kind="total_mismatch",
                cause=f"{order.connection}: order {order.external_id} differs by {difference} {order.currency}",
                next_step=NEXT_STEPS["total_mismatch"],
            )
        )


def trouble_of(order: Order, problem: Problem) -> Trouble:
    """The exception of a problem: grouped by what has to be mended, not by order, where mending one mends all."""
    shared = problem.kind.startswith("unmapped_") or problem.kind == "overlay_failed"
    where = problem.value if shared else f"order {order.external_id}, {problem.path}"
    return order.trouble(
        kind=problem.kind,
        cause=f"{order.connection}: {problem.field} {where}",
        next_step=NEXT_STEPS.get(problem.kind, "Look at the message and correct it at its source."),
    )


def posting_held(order: Order) -> bool:
    """Whether the books must wait: an amount is missing, or the sums disagree."""
    return order.content is None or any(hold.active and "post" in hold.stops for hold in order.holds.values())


# --- people ----------------------------------------------------------------------------------------------------------


def place(
    order: Order,
    *,
    reason: str,
    who: str,
    at: datetime,
    kind: str = "manual",
    scope: str = "order",
    stops: tuple[str, ...] = ("release",),
    until: datetime | None = None,
    role: str | None = None,
) -> None:
    """Stop transitions until somebody, or the time, lifts it. Reservations stay.

    Raises `CannotDo` for a scope that the order does not have, and for an order that is over.
    """
    if order.state in (OrderState.CANCELLED, OrderState.CLOSED):
        raise CannotDo(f"the order is {order.state.value}: there is nothing left to stop")
    by, _, name = scope.partition(":")
    groups = {demand.group for demand in order.demands.values()}
    if by == "group" and name not in groups:
        raise CannotDo(f"the order has no group {name!r}; it has {', '.join(sorted(groups))}")
    if by == "slice" and int(name) not in order.slices:
        raise CannotDo(f"the order has no slice {name}")
    if until is not None and until <= at:
        raise CannotDo("the hold would be over before it begins: `until` has passed")
    rule = "person,timer" if until else "person"
    order.hold(kind, reason, owner=who, at=at, scope=scope, rule=rule, stops=stops, lift_at=until, lift_role=role)


def pick(order: Order, kind: str | None, no: int | None, scope: str | None) -> list[Hold]:
    """The active holds that somebody means, by number or by kind. Raises `CannotDo` when there is none."""
    if no is not None:
        hold = order.holds.get(no)
        if hold is None:
            raise CannotDo(f"no hold {no} on order {order.id}")
        if not hold.active:
            raise CannotDo(f"hold {no} ({hold.kind}) was lifted already, at {hold.lifted_at} by {hold.lifted_by}")
        return [hold]
    found = [h for h in order.holds.values() if h.active and h.kind == kind and scope in (None, h.scope)]
    if not found:
        raise CannotDo(f"no active hold of kind {kind!r} on this order")
    return found
