"""Record a try and everything that follows from it, in one transaction, guarded by the lease's fence."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from hub.domain.effects import BuyLabel, BuyReturnLabel, PostCreditNote, PostDocument
from hub.domain.network import Connection
from hub.domain.states import Handoff
from hub.flow.consequences import facts, handoff, trouble
from hub.flow.directory import Link
from hub.flow.normalise import FACTS_TOPIC, encode_facts
from hub.sdk.adapter import Lane
from hub.sdk.capabilities import Pulled
from hub.sdk.outcomes import Done, Outcome
from hub.store import outbox
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
LABEL: Final = (
    "INSERT INTO label (order_id, fulfilment_no, external_id, tracking, document, bought_at) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
)
RETURN_LABEL: Final = (
    "INSERT INTO return_label (return_id, order_id, external_id, tracking, document, bought_at) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
)
POSTING: Final = (
    "INSERT INTO posting (order_id, connection_id, kind, shipment_no, number, amount, currency, posted_at) "
    "SELECT $1, $2, $3, $4, $5, 0, o.currency, $6 FROM customer_order o WHERE o.id = $1 ON CONFLICT DO NOTHING"
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
    over = [r.tried.claimed.id for r in results if r.tried.over and r.tried.claimed.tries]
    await effects_over(connection, over, now)
    troubles = []
    for result in results:
        found = trouble(result.tried.claimed, result.outcome, exhausted=result.exhausted, connection_name=link.name)
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
    if isinstance(effect, BuyLabel) and outcome.label is not None:
        label = outcome.label
        document = msgspec.json.encode(label).decode()
        await connection.execute(
            LABEL, effect.order, effect.fulfilment, label.external_id, label.tracking, document, now
        )
    elif isinstance(effect, BuyReturnLabel) and outcome.label is not None:
        label = outcome.label
        document = msgspec.json.encode(label).decode()
        await connection.execute(
            RETURN_LABEL, effect.return_id, effect.order, label.external_id, label.tracking, document, now
        )
    elif isinstance(effect, PostCreditNote):
        number = outcome.reference or result.tried.claimed.key
        await connection.execute(POSTING, effect.order, link.id, "credit_note", effect.refund, number, now)
    elif isinstance(effect, PostDocument):
        number = outcome.reference or result.tried.claimed.key
        await connection.execute(POSTING, effect.order, link.id, effect.kind.value, effect.shipment or 0, number, now)


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
