"""Record a try and everything that follows from it, in one transaction, guarded by the lease's fence."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from hub.domain.effects import (
    BuyLabel,
    BuyReturnLabel,
    ConfirmShipment,
    PostCreditNote,
    PostDocument,
    PostPayment,
    VoidLabel,
)
from hub.domain.network import Connection
from hub.domain.states import Handoff
from hub.flow.consequences import facts, handoff, trouble
from hub.flow.directory import Link
from hub.flow.normalise import FACTS_TOPIC, encode_facts
from hub.sdk.adapter import Lane, Subtracts
from hub.sdk.capabilities import Pulled
from hub.sdk.outcomes import Done, Outcome
from hub.store import labels, outbox, postings
from hub.store.availability import mark_shipped
from hub.store.database import PooledConnection
from hub.store.inbox import Arrival, pulled_arrival, store_arrivals
from hub.store.outbox import Tried
from hub.store.troubles import effects_over


class Result(NamedTuple):
    """A try and what it led to."""

    tried: Tried
    outcome: Outcome
    exhausted: bool
    brought: tuple[Pulled, ...] = ()
    """Objects that the call read on the way; stored like those of a pull."""


LOCK_ORDERS: Final = "SELECT id FROM customer_order WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
HANDOFF: Final = (
    "UPDATE fulfilment_order f SET handoff = u.handoff, partner_reference = coalesce(u.reference, f.partner_reference) "
    "FROM unnest($1::text[], $2::smallint[], $3::text[], $4::text[]) AS u(order_id, no, handoff, reference) "
    "WHERE f.order_id = u.order_id AND f.no = u.no AND f.handoff IN ('unsent', 'uncertain')"
)
# The node spoke before our own record of having told it: only its name for the work is still missing.
REFERENCE: Final = (
    "UPDATE fulfilment_order f SET partner_reference = u.reference FROM unnest($1::text[], $2::smallint[], $3::text[]) "
    "AS u(order_id, no, reference) WHERE f.order_id = u.order_id AND f.no = u.no AND f.partner_reference IS NULL"
)


async def record(connection: PooledConnection, speaker: Link, results: Sequence[Result], now: datetime) -> bool:
    """Record tries of one connection; returns whether facts were put into the inbox.

    A try whose lease was given away meanwhile changes nothing but its attempt row.
    """
    link = speaker.connection
    handed = [change for result in results if (change := handoff(result.tried.claimed, result.outcome))]
    if handed:
        # Handlers read and write hand-offs under the order's lock.
        await connection.execute(LOCK_ORDERS, sorted({change[0] for change in handed}))
    ours = await outbox.record(connection, [result.tried for result in results])
    results = [result for result in results if result.tried.claimed.id in ours]
    await _hand(connection, [c for r in results if (c := handoff(r.tried.claimed, r.outcome))])
    for result in results:
        await _effects(connection, link, result, now)
    await outbox.learn(
        connection,
        [(link.account, one) for r in results if isinstance(r.outcome, Done) for one in r.outcome.learned],
    )
    if speaker.adapter.subtracts is Subtracts.OWN_OPEN_ORDERS:
        effects = [r.tried.claimed.effect for r in results if isinstance(r.outcome, Done)]
        await mark_shipped(connection, sorted({one.order for one in effects if isinstance(one, ConfirmShipment)}))
    over = [r.tried.claimed.id for r in results if r.tried.over and r.tried.claimed.tries]
    await effects_over(connection, over, now)
    troubles = []
    for result in results:
        found = await labels.not_voided(connection, result.tried.claimed, result.outcome) or trouble(
            result.tried.claimed, result.outcome, exhausted=result.exhausted, connection_name=link.name
        )
        if found is not None:
            troubles.append((result.tried.claimed, found))
    await outbox.question(connection, troubles, now)
    arrivals = [arrival for result in results if (arrival := _arrival(link, result, now))]
    arrivals += [pulled_arrival(one, speaker, now) for result in results for one in result.brought]
    if arrivals:
        await store_arrivals(connection, arrivals, now)
    return bool(arrivals)


async def _hand(connection: PooledConnection, changes: Sequence[tuple[str, int, Handoff, str | None]]) -> None:
    if changes:
        rows = [(order, no, state.value, reference) for order, no, state, reference in changes]
        await connection.execute(HANDOFF, *zip(*rows, strict=True))
        named = [(order, no, reference) for order, no, _, reference in changes if reference is not None]
        if named:
            await connection.execute(REFERENCE, *zip(*named, strict=True))


async def _effects(connection: PooledConnection, link: Connection, result: Result, now: datetime) -> None:
    outcome, effect = result.outcome, result.tried.claimed.effect
    if not isinstance(outcome, Done):
        return
    if isinstance(effect, BuyLabel | BuyReturnLabel):
        if outcome.label is not None:
            await labels.keep(connection, effect, outcome.label, now)
    elif isinstance(effect, VoidLabel):
        await labels.voided(connection, effect, now)
    elif isinstance(effect, PostCreditNote | PostDocument | PostPayment):
        await postings.keep(connection, link.id, result.tried.claimed, outcome, now)


def _arrival(link: Connection, result: Result, now: datetime) -> Arrival | None:
    claimed = result.tried.claimed
    told = facts(claimed, result.outcome, now)
    if not told:
        return None
    body = encode_facts(told)
    return Arrival(
        account=link.account,
        key=f"{claimed.key}:{claimed.tries + 1}:facts",
        hash=hashlib.blake2b(body, digest_size=16).digest(),
        merchant=claimed.merchant,
        connection=link.id,
        topic=FACTS_TOPIC,
        object=f"fulfilment:{claimed.subject}",
        lane=Lane.FACTS.value,
        received_at=now,
        headers=None,
        body=body,
    )
