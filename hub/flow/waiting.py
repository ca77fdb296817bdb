"""Named waiting places: why a demand is not moving, and the exception that says so, which ends with its last waiter."""

from collections.abc import Iterable
from typing import Final

from hub.domain.order import OrderLine
from hub.domain.states import SliceState
from hub.flow.aggregate import Order, Wait
from hub.flow.batch import Batch
from hub.flow.ports import Unit
from hub.flow.writes import Writes

SHORTAGE: Final = "shortage"
"""No node that may serve has it."""
BACKORDERED: Final = "backordered"
"""Nobody has it yet; it is promised what is expected. No exception: nothing is to be done."""
PREORDER: Final = "preorder"
"""Its day has not come. No exception either."""
UNROUTABLE: Final = "unroutable"
"""A node has it, and the policy or the network keeps it from sending."""
UNDECIDED: Final = "undecided"
"""The policy has no answer for this order."""
PICK_UP: Final = "pick_up"
"""Where the customer collects it was refused, or nobody knows where that is: never shipped without being asked."""
UNRESOLVED: Final = "unresolved"
"""Nobody knows what it is."""

ROUTING: Final = (SHORTAGE, BACKORDERED, UNROUTABLE, PICK_UP, UNDECIDED)
"""Places that a change of the network or the policy may empty."""


def unknown_word(line: OrderLine) -> str:
    """What of a line nobody knows."""
    return line.sku or (f"variant {line.variant}" if line.variant else "no sku")


def for_item(line: OrderLine) -> Wait:
    """Waits until the item of a line is known."""
    return Wait(UNRESOLVED, f"sku:{line.sku}" if line.sku else f"variant:{line.variant or ''}")


def for_stock(item: int) -> Wait:
    """Waits until a node has the item."""
    return Wait(SHORTAGE, f"item:{item}")


def for_supply(item: int) -> Wait:
    """Waits for expected supply; goods that come before it wake it too."""
    return Wait(BACKORDERED, f"item:{item}")


def for_release(item: int) -> Wait:
    """Waits for the day from which an item is sent."""
    return Wait(PREORDER, f"item:{item}")


def for_a_way(item: int) -> Wait:
    """Waits until a node that has the item may send it, or another has it too."""
    return Wait(UNROUTABLE, f"item:{item}")


def for_pick_up(item: int) -> Wait:
    """Waits until a person decides, or the place where the customer collects may be asked again."""
    return Wait(PICK_UP, f"item:{item}")


def for_an_answer(cause: str) -> Wait:
    """Waits until the policy, or what it asks of the order, is mended."""
    return Wait(UNDECIDED, f"policy:{cause}")


def exception_of(order: Order, demand: int, wait: Wait, batch: Batch) -> tuple[str, str]:
    """(kind, cause) of the exception of a wait: orders that wait for the same thing share one."""
    wanted = order.demands[demand]
    by, _, name = wait.cause.partition(":")
    if wait.queue in (SHORTAGE, UNROUTABLE, BACKORDERED, PREORDER):
        return wait.queue, f"{order.merchant}: {wanted.sku or f'item {wanted.item}'}"
    if wait.queue == PICK_UP:
        return "pick_up_refused", f"order {order.external_id}, group {wanted.group}"
    if wait.queue == UNDECIDED:
        return UNDECIDED, f"{order.merchant}: {name}"
    word = name if by == "sku" else f"variant {name}" if name else "no sku"
    return "unknown_sku", f"{batch.directory.accounts[order.account].name}: {word}"


def begin_waiting(order: Order, demand: int, wait: Wait, note: str, next_step: str, batch: Batch) -> None:
    """Let a demand wait, and tell it, unless it waits there already. What it waited for before is over."""
    known = order.waits.get(demand)
    # Who is promised supply is short too, and says so when the promise cannot be kept.
    if known == wait or (wait.queue == SHORTAGE and known == wait._replace(queue=BACKORDERED)):
        return
    stop_waiting(order, demand, batch)
    order.waits[demand] = wait
    order.note(batch.now, "waiting", note)
    kind, cause = exception_of(order, demand, wait, batch)
    order.troubles.append(
        order.trouble(
            kind=kind,
            cause=cause,
            next_step=next_step,
        )
    )


def stop_waiting(order: Order, demand: int, batch: Batch) -> None:
    """A demand waits no more. Its exception is mended unless another demand of the order waits for the same."""
    wait = order.waits.pop(demand, None)
    if wait is None:
        return
    told = exception_of(order, demand, wait, batch)
    if all(exception_of(order, no, other, batch) != told for no, other in order.waits.items()):
        order.mend(*told)
    if wait.queue == UNRESOLVED and not any(other.queue == UNRESOLVED for other in order.waits.values()):
        order.lift("unresolved", batch.now)


def stop_if_placed(order: Order, demand: int, batch: Batch) -> None:
    """A demand waits no more once none of its units is without a place."""
    loose = (SliceState.UNALLOCATED, SliceState.BACKORDERED)
    if not any(part.demand == demand and part.state in loose for part in order.slices.values()):
        stop_waiting(order, demand, batch)


def swap_wait(order: Order, demand: int, wait: Wait, batch: Batch) -> None:
    """Let a demand wait in a place that needs nobody's help."""
    if order.waits.get(demand) != wait:
        stop_waiting(order, demand, batch)
        order.waits[demand] = wait


async def wake_for_freed(unit: Unit, orders: Iterable[Order], writes: Writes, batch: Batch) -> None:
    """Wake what waits for units that these writes let go of: cancelled, taken back, or moved elsewhere."""
    change: dict[int, int] = {}
    for item, _, units in writes.pinned:
        change[item] = change.get(item, 0) - units
    for row in writes.ledger:
        if row.condition == "sellable":
            change[row.item] = change.get(row.item, 0) + row.delta
    for _, item, units in writes.supply:
        change[item] = change.get(item, 0) - units
    freed = sorted(item for item, units in change.items() if units > 0)
    if freed:
        for merchant in sorted({order.merchant for order in orders}):
            await unit.wake(merchant, [f"item:{item}" for item in freed], batch.now, skip_locked=True)
