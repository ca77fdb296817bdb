"""The same goods another way: a changed address, service, method or date, applied to the least advanced units first."""

from collections.abc import Sequence
from typing import Final

from hub.domain.demand import Slice
from hub.domain.fulfilment import fulfilment_id
from hub.domain.states import WITH_NODE, SliceState
from hub.flow.aggregate import Order
from hub.flow.amend import advanced, was_asked, window_closed
from hub.flow.batch import Batch
from hub.flow.change_window import Wish
from hub.flow.difference import Change, ChangeKind

WISHES: Final = {
    ChangeKind.ADDRESS: Wish.ADDRESS,
    ChangeKind.METHOD: Wish.METHOD,
    ChangeKind.SERVICE: Wish.SERVICE,
    ChangeKind.NOT_BEFORE: Wish.DATE,
    ChangeKind.DELIVER_BY: Wish.DATE,
}
"""Changes of a group, in the words of change windows."""

LEFT: Final = frozenset({SliceState.SHIPPED})
"""Units that are on their way: a carrier may still be asked."""

CHOICE_SHIPPED: Final = (
    "{units} units have left under the old {what}. Choose: ask the carrier to redirect or call back the parcel; wait "
    "until it comes back and send it anew; or agree a return (POST /api/v1/returns) and a new order."
)
CHOICE_HOUSE: Final = (
    "{units} units are with the node under the old {what}: {why}. Choose: let them go and ask the carrier to redirect "
    "the parcel; ask the node by telephone and decide anew (POST /api/v1/orders/{{id}}/reroute); or cancel them "
    "(POST /api/v1/orders/{{id}}/cancel) and have them ordered anew."
)


def redirect(order: Order, changes: Sequence[Change], batch: Batch) -> None:
    """Apply changes of groups: reserved units are decided anew, nodes are asked back, what is too late is told.

    The order holds the newer content already; what nobody has touched needs nothing but that.
    """
    for change in changes:
        if change.kind not in WISHES or change.group is None:
            continue
        _reserved(order, change)
        if change.kind is not ChangeKind.DELIVER_BY and not _earlier(order, change, batch):
            _with_node(order, change, batch)
        if change.kind is ChangeKind.ADDRESS:
            _left(order, change, batch)


def _parts(order: Order, group: str) -> list[Slice]:
    parts = [part for part in order.slices.values() if order.demands[part.demand].group == group]
    return sorted(parts, key=lambda part: (advanced(part.state), -part.no))


def _reserved(order: Order, change: Change) -> None:
    """Another node may be the better one now; a date before which nothing leaves only lets goods rest."""
    same_door = change.kind is ChangeKind.ADDRESS and not change.elsewhere
    if same_door or change.kind is ChangeKind.NOT_BEFORE or change.group is None:
        return
    for part in _parts(order, change.group):
        if part.state is SliceState.RESERVED:
            order.take_back(part.no, "displaced")


def _earlier(order: Order, change: Change, batch: Batch) -> bool:
    """A date that has passed, or is gone, asks nothing of a node that works on it already."""
    if change.kind is not ChangeKind.NOT_BEFORE or order.content is None:
        return False
    group = next((one for one in order.content.groups if one.key == change.group), None)
    return group is None or group.not_before is None or group.not_before <= batch.now


def _with_node(order: Order, change: Change, batch: Batch) -> None:
    assert change.group is not None
    what = _what(change)
    late: dict[str, int] = {}
    for part in _parts(order, change.group):
        if part.state not in WITH_NODE or part.fulfilment is None or part.fulfilment in order.recalled:
            continue
        closed = window_closed(order, WISHES[change.kind], "channel", [part], batch)
        if closed is None and was_asked(order, part.fulfilment):
            closed = f"{fulfilment_id(order.id, part.fulfilment)} was asked back before"
        if closed is not None:
            late[closed] = late.get(closed, 0) + part.quantity
            continue
        order.recalled.append(part.fulfilment)
        order.recall_reasons[part.fulfilment] = f"the {what} changed"
    for why, units in late.items():
        _too_late(order, change, units, CHOICE_HOUSE.format(units=units, what=what, why=why), batch)


def _left(order: Order, change: Change, batch: Batch) -> None:
    assert change.group is not None
    units = sum(part.quantity for part in _parts(order, change.group) if part.state in LEFT)
    if units:
        _too_late(order, change, units, CHOICE_SHIPPED.format(units=units, what=_what(change)), batch)


def _what(change: Change) -> str:
    return "date" if change.kind is ChangeKind.NOT_BEFORE else change.kind.value


def _too_late(order: Order, change: Change, units: int, step: str, batch: Batch) -> None:
    order.troubles.append(
        order.trouble(
            kind="change_too_late",
            cause=f"{order.connection}: order {order.external_id}, {_what(change)} of {change.group}",
            next_step=step,
        )
    )
    order.note(batch.now, "change_too_late", f"{_what(change)} of {change.group}: {units} units")


def reprice(order: Order, changes: Sequence[Change], batch: Batch) -> None:
    """An amount that changes after goods were invoiced is a matter for the books, and told; before, nobody has it."""
    dearer = [change for change in changes if change.kind is ChangeKind.PRICE]
    if not dearer or not order.shipments or not batch.directory.with_capability(order.merchant, "post"):
        return
    about = ", ".join(sorted(f"line {change.line}" if change.line else "charges" for change in dearer))
    order.troubles.append(
        order.trouble(
            kind="price_after_invoice",
            cause=f"{order.connection}: order {order.external_id}",
            next_step=f"The channel changed amounts ({about}) after goods were invoiced. Choose: credit and invoice "
            "the difference in the books, or refund it (POST /api/v1/refunds); what leaves from now on is invoiced at "
            "the new amounts.",
        )
    )
