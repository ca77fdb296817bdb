"""Questions that a snapshot raises: what holds release, what holds posting, what a person must know."""

from datetime import datetime
from typing import Final

import msgspec

from hub.domain.demand import Hold
from hub.domain.order import OrderSnapshot, Problem
from hub.flow.aggregate import Order, Trouble

HARMLESS: Final = frozenset({"bad_time"})
"""Problems that stop nothing: told, and the order goes on."""

MONEY: Final = frozenset({"bad_money", "total_mismatch"})
"""Problems that stop the books, never the goods (law 10); so do words of payments that no table knows."""

UNMAPPED_PAYMENT: Final = "unmapped_payment"
POSTING: Final = "posting"
"""Scope of a hold that stops the books only."""

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
    for problem in snapshot.problems:
        reason = f"{problem.kind}: {problem.field} at {problem.path} is {problem.value!r}"
        order.troubles.append(trouble_of(order, problem))
        if problem.kind not in HARMLESS:
            open_reasons.add(reason)
            books_only = problem.kind in MONEY or problem.kind.startswith(UNMAPPED_PAYMENT)
            scope = POSTING if books_only else "order"
            order.hold(problem.kind, reason, owner="hub", at=now, scope=scope, rule="revision")
    difference = snapshot.content.amounts.difference
    if difference:
        open_kinds.add("total_mismatch")
        reason = f"the channel's total differs by {difference} {order.currency}"
        open_reasons.add(reason)
        order.hold("total_mismatch", reason, owner="hub", at=now, scope=POSTING, rule="revision")
    for hold in list(order.holds.values()):
        if hold.active and hold.lift_rule == "revision" and hold.reason not in open_reasons:
            _answered(order, hold, now)
            if hold.kind not in open_kinds:
                order.mend(hold.kind)
    if difference:
        order.troubles.append(
            Trouble(
                kind="total_mismatch",
                cause=f"{order.connection}: order {order.external_id} differs by {difference} {order.currency}",
                next_step=NEXT_STEPS["total_mismatch"],
                connection=order.connection,
                external_id=order.external_id,
                waiter=("order", order.id),
            )
        )


def _answered(order: Order, hold: Hold, now: datetime) -> None:
    """Lift one hold; others of its kind may still have their own reason."""
    order.holds[hold.no] = msgspec.structs.replace(hold, lifted_at=now)
    order.note(now, "hold_lifted", hold.kind)


def trouble_of(order: Order, problem: Problem) -> Trouble:
    """The exception of a problem: grouped by what has to be mended, not by order, where mending one mends all."""
    shared = problem.kind.startswith("unmapped_") or problem.kind == "overlay_failed"
    where = problem.value if shared else f"order {order.external_id}, {problem.path}"
    return Trouble(
        kind=problem.kind,
        cause=f"{order.connection}: {problem.field} {where}",
        next_step=NEXT_STEPS.get(problem.kind, "Look at the message and correct it at its source."),
        connection=order.connection,
        external_id=order.external_id,
        waiter=("order", order.id),
    )


def posting_held(order: Order) -> bool:
    """Whether the books must wait: an amount is missing, or the sums disagree."""
    return order.content is None or any(hold.active and hold.scope == POSTING for hold in order.holds.values())
