"""What becomes of goods that came back, on the shelf and in money."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from hub.domain.returns import LIVING, Disposition, Graded, RefundWhen, Return, ReturnLine, refunded_units
from hub.domain.states import RETURN_MOVES, ReturnState, move
from hub.domain.stock import Condition
from hub.flow.aggregate import Moved, Order
from hub.flow.batch import Batch
from hub.flow.credit import billed
from hub.flow.refund import Wish, ask_refund, nothing_left, refundable, value_of
from hub.flow.return_rules import ReturnPolicy

Grades = Mapping[str, Sequence[tuple[Disposition, int]]]
"""Sold units per line and disposition."""

BECOMES: Final = {Disposition.RESTOCK: Condition.SELLABLE, Disposition.REFURBISH: Condition.DAMAGED}
"""Conditions that goods stay with; everything else leaves the node."""


class CannotGrade(Exception):
    """More than is there to be graded. `faults` say what: (index of the line, text)."""

    def __init__(self, text: str, faults: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(text)
        self.faults = tuple(faults)


def grade(order: Order, id: str, grades: Grades, batch: Batch, note: str | None = None) -> None:
    """Say what becomes of received units; ledger, balances and refund follow in the same transaction.

    Raises `CannotGrade` for units that were not received or are graded already.
    """
    one = order.returns[id]
    check(one, grades)
    for name, parts in grades.items():
        for disposition, units in parts:
            for demand in order.demands.values():
                if demand.line == name and demand.item is not None and demand.tracked and one.node is not None:
                    order.came_back += moves(demand.item, one.node, units * demand.per_unit, disposition, id)
    order.returns[id] = one = graded(one, grades, note)
    total = {d.value: sum(u for p in grades.values() for e, u in p if e is d) for d in Disposition}
    told = ", ".join(f"{units} {name}" for name, units in total.items() if units)
    order.note(batch.now, "return_graded", f"{id}: {told}")
    if one.refund is RefundWhen.AFTER_GRADE:
        refund_due(order, id, batch)


def check(one: Return, grades: Grades) -> None:
    """Raises `CannotGrade` naming every line that is graded beyond what was received."""
    known = {line.line: line.ungraded for line in one.lines}
    faults = []
    for index, (name, parts) in enumerate(grades.items()):
        units = sum(count for _, count in parts)
        if any(disposition is Disposition.KEPT for disposition, _ in parts):
            faults.append((index, f"line {name}: what is here was not kept by the customer"))
        elif units < 1 or units > known.get(name, 0):
            faults.append((index, f"{units} units of line {name} cannot be graded: {known.get(name, 0)} wait for it"))
    if faults or not grades:
        raise CannotGrade("; ".join(text for _, text in faults) or f"return {one.id}: nothing waits for it", faults)


def graded(one: Return, grades: Grades, note: str | None) -> Return:
    """The return with its units graded; in the state graded once nothing waits for it."""
    lines = []
    for line in one.lines:
        parts = grades.get(line.line, ())
        more = tuple(Graded(disposition=d, quantity=units, note=note) for d, units in parts if units)
        lines.append(msgspec.structs.replace(line, graded=line.graded + more))
    state = one.state
    if not any(line.ungraded for line in lines) and state is not ReturnState.GRADED:
        state = move(RETURN_MOVES, state, ReturnState.GRADED)
    return msgspec.structs.replace(one, lines=tuple(lines), state=state)


def moves(item: int, node: int, units: int, disposition: Disposition, cause: str) -> list[Moved]:
    """Ledger movements of a disposition: out of quarantine, and to where it goes."""
    out = Moved(item, node, -units, Condition.QUARANTINE.value, cause)
    condition = BECOMES.get(disposition)
    return [out] if condition is None else [out, Moved(item, node, units, condition.value, cause)]


# --- the money of it -------------------------------------------------------------------------------------------------


def refund_due(order: Order, id: str, batch: Batch) -> None:
    """Refund what a return is due now and has not got yet, less what the rules keep back.

    By its rule: all of it now or on the first scan, what was received, or what was graded. What the channel refunded by
    itself is taken to be for what came back: of those units nothing is refunded again.
    """
    one = order.returns[id]
    if one.refund is RefundWhen.NEVER:
        return
    if one.exchange is not None:
        _difference(order, one, batch)
        return
    policy = batch.directory.return_policy(order.merchant)
    before = refunded_units(order.refunds)
    wanted: dict[str, int] = {}
    kept = 0
    for line in one.lines:
        parts = _due(order, one, line, policy)
        units = min(
            sum(part.units for part in parts),
            _sold(order, line.line) - before.get(line.line, 0),
            _entitled(order, line.line, policy),
        )
        if units <= 0:
            if parts:
                order.note(batch.now, "refunded_before", f"{id}: line {line.line}")
            continue
        wanted[line.line] = wanted.get(line.line, 0) + units
        kept += sum(value_of(order, line.line, part.units) * (100 - part.percent) // 100 for part in parts)
        kept += value_of(order, line.line, units) * policy.under(line.reason).fee_percent // 100
    if not wanted:
        return
    if refundable(order) == 0:
        nothing_left(order, id)
        return
    rule = policy.under(one.lines[0].reason)
    kept += 0 if any(refund.return_id == id for refund in order.refunds.values()) else rule.fee
    shipping = _shipping_left(order) if rule.refund_shipping == "all" and _everything(order, wanted, before) else 0
    wish = Wish(lines=wanted, shipping=shipping, kept=kept, reason=one.lines[0].reason, return_id=id, capped=True)
    ask_refund(order, wish, batch)


def _difference(order: Order, one: Return, batch: Batch) -> None:
    """The exchange cost less than what came back: the rest is owed."""
    if one.owed and refundable(order):
        order.returns[one.id] = msgspec.structs.replace(one, owed=0)
        wish = Wish(amount=one.owed, reason="exchange", return_id=one.id, capped=True)
        ask_refund(order, wish, batch)


class Part(NamedTuple):
    """Units of a line whose money is due, and which share of it."""

    units: int
    percent: int


def _due(order: Order, one: Return, line: ReturnLine, policy: ReturnPolicy) -> list[Part]:
    """What of a return's line is due in all, less the units that this return had refunded."""
    had = sum(
        part.quantity
        for refund in order.refunds.values()
        if refund.return_id == one.id and refund.state in LIVING
        for part in refund.lines
        if part.line == line.line
    )
    left = []
    for part in _parts(one, line, policy):
        skipped = min(had, part.units)
        had -= skipped
        left.append(part._replace(units=part.units - skipped))
    return [part for part in left if part.units > 0]


def _parts(one: Return, line: ReturnLine, policy: ReturnPolicy) -> list[Part]:
    """What of a return's line is due in all, by its rule."""
    kept = any(done.disposition is Disposition.KEPT for done in line.graded)
    if kept or one.exchange is not None or one.refund in (RefundWhen.NOW, RefundWhen.ON_SCAN):
        return [Part(line.quantity, 100)]
    if one.refund is RefundWhen.ON_RECEIPT:
        return [Part(line.received, 100)]
    graded_parts = [Part(done.quantity, policy.percent(done.disposition)) for done in line.graded]
    return [part for part in graded_parts if part.percent > 0]


def _entitled(order: Order, name: str, policy: ReturnPolicy) -> int:
    """Units of a line that all returns together are still due, less what the channel refunded by itself."""
    live = {
        id: one
        for id, one in order.returns.items()
        if one.refund is not RefundWhen.NEVER and one.state not in (ReturnState.REFUSED, ReturnState.CANCELLED)
    }
    due = sum(
        part.units
        for one in live.values()
        for line in one.lines
        if line.line == name
        for part in _parts(one, line, policy)
    )
    had = sum(
        part.quantity
        for refund in order.refunds.values()
        if refund.state in LIVING and (refund.return_id in live or refund.origin == "channel")
        for part in refund.lines
        if part.line == name
    )
    return due - had


def _sold(order: Order, line: str) -> int:
    found = next((one for one in order.content.lines if one.external_id == line), None) if order.content else None
    return 0 if found is None else billed(found)


def _everything(order: Order, wanted: Mapping[str, int], before: Mapping[str, int]) -> bool:
    lines = order.content.lines if order.content else ()
    return all(
        wanted.get(line.external_id, 0) + before.get(line.external_id, 0) >= _sold(order, line.external_id)
        for line in lines
    )


def _shipping_left(order: Order) -> int:
    whole = order.content.amounts.shop.shipping if order.content else 0
    return max(0, whole - sum(refund.shipping for refund in order.refunds.values() if refund.state in LIVING))
