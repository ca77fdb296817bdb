"""What the clock does to holds: timers run out, authorisations are about to. In batches, a transaction each."""

from datetime import timedelta

from hub.flow.batch import Batch
from hub.flow.ports import Unit
from hub.flow.risk import rejudge
from hub.flow.take_order import advance

LIMIT = 100


async def lift_due(unit: Unit, batch: Batch, limit: int = LIMIT) -> int:
    """Lift holds whose timer has run out and take their orders on; returns how many orders that was."""
    orders = await unit.by_id(batch.among(await unit.due_holds(batch.now, limit)))
    for order in orders.values():
        for hold in list(order.holds.values()):
            if hold.active and hold.lift_at is not None and hold.lift_at <= batch.now:
                order.end_hold(hold.no, batch.now, by="timer")
    if orders:
        await advance(unit, orders.values(), batch)
    return len(orders)


async def watch_authorisations(unit: Unit, batch: Batch, limit: int = LIMIT) -> int:
    """Ask the rules again that an authorisation about to end makes true; returns how many orders were asked of."""
    asked = 0
    for merchant in merchants(batch):
        policy = batch.directory.hold_policy(merchant)
        if policy.watches:
            ahead = timedelta(hours=policy.authorisation_ahead_hours)
            ids = await unit.ending_authorisations(merchant, batch.now, ahead, policy.watches, limit)
            orders = list((await unit.by_id(ids)).values())
            await rejudge(unit, orders, batch)
            if orders:
                await advance(unit, orders, batch)
            asked += len(orders)
    return asked


async def mark_earlier(unit: Unit, batch: Batch) -> int:
    """Let rules that have just begun to count earlier orders know of them; 0 when they know of all."""
    return sum([
        await unit.mark_earlier(merchant, batch.now)
        for merchant in merchants(batch)
        if batch.directory.hold_policy(merchant).history
    ])  # fmt: skip


def merchants(batch: Batch) -> list[str]:
    """Everybody who has an account here."""
    return sorted({account.merchant for account in batch.directory.accounts.values()})
