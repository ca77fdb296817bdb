"""What ledgers accepted: one row per document or entry, with what the ledger holds of it."""

from datetime import UTC, datetime
from typing import Final

from hub.domain.effects import PostCreditNote, PostDocument
from hub.flow.ports import Claimed
from hub.sdk.outcomes import Done
from hub.store.database import PooledConnection

KEEP: Final = (
    "INSERT INTO posting (order_id, connection_id, kind, shipment_no, key, number, amount, currency, dated, posted_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (order_id, connection_id, key) DO UPDATE SET "
    "number = EXCLUDED.number, amount = EXCLUDED.amount, currency = EXCLUDED.currency, dated = EXCLUDED.dated"
)


async def keep(connection: PooledConnection, ledger: str, claimed: Claimed, outcome: Done, now: datetime) -> None:
    """Record a posting that is done. Posted again under its key, it is the same row with what the ledger holds now."""
    booked, effect = outcome.booked, claimed.effect
    if booked is None:
        return
    number = effect.shipment or 0 if isinstance(effect, PostDocument) else 0
    number = effect.refund if isinstance(effect, PostCreditNote) else number
    await connection.execute(
        KEEP,
        claimed.order,
        ledger,
        booked.kind,
        number,
        claimed.key,
        outcome.reference or claimed.key,
        booked.amount,
        booked.currency,
        booked.dated.astimezone(UTC).date(),
        now,
    )
