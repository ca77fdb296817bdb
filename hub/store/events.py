"""Subscriptions and what they are still to be told: effects in the outbox like any other, under a subscriber's id."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, NamedTuple

import asyncpg
import msgspec

from hub.domain.events import Channel, Subscription
from hub.domain.shipping import Label
from hub.flow.trouble import Trouble
from hub.store.contacts import contacts
from hub.store.database import PooledConnection
from hub.store.troubles import raise_troubles
from hub.store.vault import Vault

TABLE: Final = "subscription"
SECRETS_FIELD: Final = "secrets"

READY: Final = (
    "SELECT s.id FROM subscription s CROSS JOIN LATERAL (SELECT FROM outbox o "
    "WHERE o.connection_id BETWEEN s.id AND s.id AND NOT o.parked AND o.due_at <= now() "
    "AND (o.lease_until IS NULL OR o.lease_until < now()) ORDER BY o.connection_id, o.id LIMIT 1) AS due "
    "WHERE NOT s.paused"
)
HEALTHY: Final = "UPDATE subscription SET failing_since = NULL, told_at = now() WHERE id = $1"
FAILING: Final = (
    "UPDATE subscription SET failing_since = coalesce(failing_since, now()) WHERE id = $1 RETURNING failing_since"
)
PAUSE: Final = "UPDATE subscription SET paused = true, paused_because = $2 WHERE id = $1 AND NOT paused RETURNING name"


class WebhookConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where a webhook goes."""

    url: str


class MailConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Which server takes the mail, and in whose name."""

    host: str
    sender: str
    port: int = 587
    security: str = "starttls"
    """starttls, tls, none."""
    username: str | None = None
    language: str = "en"


class Secrets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored sealed."""

    secret: str | None = None
    previous: str | None = None
    """Signs too while a rotation runs, so that a receiver may know either."""
    password: Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})] = None

    def __repr__(self) -> str:
        return "Secrets(***)"


class Subscriber(NamedTuple):
    """A subscription as it is told."""

    id: str
    merchant: str
    name: str
    channel: Channel
    config: WebhookConfig | MailConfig
    secrets: Secrets
    failing: bool
    """It took nothing of late."""


async def read_subscriptions(connection: PooledConnection) -> Mapping[str, Sequence[Subscription]]:
    """Who wants what, by merchant. A paused one keeps what it missed, so its effects are written all the same."""
    found: dict[str, list[Subscription]] = {}
    for row in await connection.fetch("SELECT * FROM subscription ORDER BY id"):
        one = Subscription(
            id=row["id"],
            merchant=row["merchant"],
            channel=Channel(row["channel"]),
            types=tuple(row["types"]),
            connections=tuple(row["connections"]),
        )
        found.setdefault(one.merchant, []).append(one)
    return found


async def ready(connection: PooledConnection) -> list[str]:
    """Subscriptions with something to tell now."""
    return [row[0] for row in await connection.fetch(READY)]


async def subscriber(connection: PooledConnection, vault: Vault, id: str) -> Subscriber | None:
    """How a subscription is reached; None when it is gone or paused. Raises `SealBroken`."""
    row = await connection.fetchrow("SELECT * FROM subscription WHERE id = $1 AND NOT paused", id)
    return None if row is None else subscriber_of(row, vault)


def subscriber_of(row: asyncpg.Record, vault: Vault) -> Subscriber:
    """A subscription from its row. Raises `SealBroken`."""
    channel = Channel(row["channel"])
    kind: type[WebhookConfig | MailConfig] = WebhookConfig if channel is Channel.WEBHOOK else MailConfig
    return Subscriber(
        id=row["id"],
        merchant=row["merchant"],
        name=row["name"],
        channel=channel,
        config=msgspec.json.decode(row["config"], type=kind),
        secrets=open_secrets(row["secrets"], row["id"], vault),
        failing=row["failing_since"] is not None,
    )


def open_secrets(envelope: bytes | None, id: str, vault: Vault) -> Secrets:
    """Unseal. Raises `SealBroken`."""
    if envelope is None:
        return Secrets()
    return msgspec.convert(vault.open(envelope, table=TABLE, row=id, field=SECRETS_FIELD), Secrets)


def seal_secrets(secrets: Secrets, id: str, vault: Vault) -> bytes:
    """Seal for a subscription's row."""
    return vault.seal(msgspec.to_builtins(secrets), table=TABLE, row=id, field=SECRETS_FIELD)


async def healthy(connection: PooledConnection, id: str) -> None:
    """It was told something."""
    await connection.execute(HEALTHY, id)


async def failing(connection: PooledConnection, id: str) -> datetime | None:
    """It could not be told anything; since when that is so. None when it is gone."""
    since: datetime | None = await connection.fetchval(FAILING, id)
    return since


async def pause(connection: PooledConnection, one: Subscriber, because: str, now: datetime) -> None:
    """Stop telling it until a person resumes it; what happens meanwhile waits for it, in order."""
    name = await connection.fetchval(PAUSE, one.id, because)
    if name is None:
        return
    step = (
        f"Mend the receiver, then resume it with POST /api/v1/subscriptions/{one.id}/resume. "
        "Everything that it missed is kept and told in order."
    )
    trouble = Trouble(kind="subscription_paused", cause=f"{one.id}: {name}: {because}", next_step=step)
    await raise_troubles(connection, [(one.merchant, None, trouble)], now)


LAST_TRY: Final = "SELECT outcome FROM attempt WHERE effect_id = $1 ORDER BY no DESC LIMIT 1"


async def addressee(connection: PooledConnection, order: str) -> str | None:
    """The mail address of an order's customer, as it stands now; None when none is known."""
    people = (await contacts(connection, [order]))[order]
    found = [people[key].email for key in ("customer", "ship", "bill") if key in people]
    return next((email for email in found if email), None)


class _Told(msgspec.Struct, frozen=True):
    locale: str | None = None


_told: Final[msgspec.json.Decoder[_Told]] = msgspec.json.Decoder(_Told)


async def locale_of(connection: PooledConnection, order: str) -> str | None:
    """The customer's language, as the channel says it; None where it says none."""
    document = await connection.fetchval(
        "SELECT document FROM order_revision WHERE order_id = $1 ORDER BY no DESC LIMIT 1", order
    )
    return None if document is None else _told.decode(document).locale


async def asked_again(connection: PooledConnection, effect: int) -> bool:
    """Whether a person, who knew that it may have been sent already, wants it sent."""
    return bool(await connection.fetchval(LAST_TRY, effect) == "needs_person")


async def return_labels(connection: PooledConnection, order: str) -> dict[str, str]:
    """Where the postage of an order's returns is, by return."""
    rows = await connection.fetch("SELECT return_id, document FROM return_label WHERE order_id = $1", order)
    labels = {row["return_id"]: msgspec.json.decode(row["document"], type=Label).url for row in rows}
    return {name: url for name, url in labels.items() if url}
