"""Orders captured through the API: stored like any delivery, on a connection of the channel `direct`."""

import hashlib
from datetime import datetime
from typing import Final

import msgspec

from hub.domain.ids import NewId
from hub.domain.order import OrderSnapshot
from hub.flow.normalise import DIRECT_TOPIC
from hub.sdk.adapter import Lane
from hub.store.admin.connections import claim_account, insert_connection
from hub.store.database import PooledConnection
from hub.store.inbox import Arrival, store_arrivals

ADAPTER: Final = "direct"


async def direct_connection(
    connection: PooledConnection, merchant: str, new_id: NewId, channel: str = "direct"
) -> tuple[str, int]:
    """The connection of a direct channel and its account, made when the first order needs it."""
    account = await claim_account(connection, merchant, ADAPTER, channel)
    found = await connection.fetchval("SELECT id FROM connection WHERE account_id = $1 AND enabled", account)
    if found is None:
        found = new_id()
        await insert_connection(
            connection,
            id=found,
            merchant=merchant,
            account=account,
            adapter=ADAPTER,
            name=channel,
            config={"channel": channel},
            secrets=None,
            modes={},
            live_from=None,
            enabled=True,
        )
    return found, account


async def capture_direct(
    connection: PooledConnection,
    merchant: str,
    snapshot: OrderSnapshot,
    now: datetime,
    new_id: NewId,
    channel: str = ADAPTER,
) -> tuple[int, bool]:
    """Store a canonical order; (message id, whether it is new). The same order and version again is a repeat."""
    link, account = await direct_connection(connection, merchant, new_id, channel)
    body = msgspec.json.encode(snapshot)
    content = snapshot.content
    # The same order and version from another token is the same.
    same = msgspec.structs.replace(snapshot, content=msgspec.structs.replace(content, entered_by=None))
    arrival = Arrival(
        account=account,
        key=f"order:{content.external_id}:{content.version}",
        hash=hashlib.blake2b(msgspec.json.encode(same), digest_size=16).digest(),
        merchant=merchant,
        connection=link,
        topic=DIRECT_TOPIC,
        object=f"order:{content.external_id}",
        lane=Lane.ORDERS.value,
        received_at=now,
        headers=None,
        body=body,
    )
    return (await store_arrivals(connection, [arrival], now))[0]
