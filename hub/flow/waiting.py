"""Named waiting places: why a demand is not moving, and the exception that says so, which ends with its last waiter."""

from hub.domain.order import OrderLine
from hub.flow.aggregate import Order, Wait
from hub.flow.batch import Batch

SHORTAGE = "shortage"
UNRESOLVED = "unresolved"


def unknown_word(line: OrderLine) -> str:
    """What of a line nobody knows."""
    return line.sku or (f"variant {line.variant}" if line.variant else "no sku")


def for_item(line: OrderLine) -> Wait:
    """Waits until the item of a line is known."""
    return Wait(UNRESOLVED, f"sku:{line.sku}" if line.sku else f"variant:{line.variant or ''}")


def for_stock(item: int) -> Wait:
    """Waits until a node has the item."""
    return Wait(SHORTAGE, f"item:{item}")


def exception_of(order: Order, demand: int, wait: Wait, batch: Batch) -> tuple[str, str]:
    """(kind, cause) of the exception of a wait: orders that wait for the same thing share one."""
    wanted = order.demands[demand]
    if wait.queue == SHORTAGE:
        return "shortage", f"{order.merchant}: {wanted.sku or f'item {wanted.item}'}"
    by, _, name = wait.cause.partition(":")
    word = name if by == "sku" else f"variant {name}" if name else "no sku"
    return "unknown_sku", f"{batch.directory.accounts[order.account].name}: {word}"


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
