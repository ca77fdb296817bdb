"""The one place that builds things: databases, clients, clocks, processes. Nothing is made at import."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from litestar import Litestar
from litestar.types import ASGIApp

from hub.domain.customer_link import customer_url, link_key, usual_end
from hub.domain.events import Channel
from hub.domain.ids import NewId, id_source
from hub.domain.supplier_link import supplier_key, supplier_url
from hub.flow.notices import Notices, load_notices
from hub.registry import find_adapters, mapping_text, rule_text
from hub.sdk.adapter import Adapter
from hub.sdk.breaker import LONGEST_PAUSE
from hub.sdk.http import HttpClient
from hub.sdk.public_address import any_address, public_address
from hub.sdk.smtp import SmtpMailer
from hub.sdk.wire import Client, Transport
from hub.settings import Settings, secret_key, secret_keys
from hub.store.clock import DatabaseClock
from hub.store.configuration import ConfigurationReader
from hub.store.credentials import Credentials, StoredTokens
from hub.store.database import Database
from hub.store.schema import newest_revision
from hub.store.unit_of_work import PostgresStore, PostgresUnit
from hub.store.vault import Vault
from hub.web.app import serve_with
from hub.web.grouping import Grouping
from hub.web.services import Services
from hub.web.webhooks import Intake, webhooks_first
from hub.worker.bell import Bells
from hub.worker.broadcast import Broadcaster
from hub.worker.buckets import SharedBuckets
from hub.worker.clients import Clients
from hub.worker.deliver import Deliverer
from hub.worker.fetch import Fetcher
from hub.worker.holds import HoldKeeper
from hub.worker.main import Worker
from hub.worker.notify import Notifier
from hub.worker.notify_mail import Mail
from hub.worker.notify_webhook import Webhooks
from hub.worker.perform import Performer
from hub.worker.pull import Puller
from hub.worker.reconcile import Reconciler
from hub.worker.sweep import Sweeper

LANGUAGES = ("en", "de")
"""Of `rules/notices`."""

WEB_CONNECTIONS = 6
WORKER_CONNECTIONS = 12
CONFIGURATION_CONNECTIONS = 2
"""Of their own: handlers look at the configuration inside a transaction, and as many of them at once as the pool has
connections would wait for each other until the database ended them."""


def utc_now() -> datetime:
    """The clock of this machine; a running hub goes by its database's."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What every process of the hub has."""

    settings: Settings
    adapters: Mapping[str, Adapter]
    database: Database
    vault: Vault
    credentials: Credentials
    configuration: ConfigurationReader
    bells: Bells
    buckets: SharedBuckets
    clients: Clients
    new_id: NewId
    clock: DatabaseClock

    async def close(self) -> None:
        """Let go of everything."""
        await self.clients.close()
        await self.bells.close()
        await self.buckets.close()
        await self.configuration.database.close()
        await self.database.close()


class OpenDatabase(Protocol):
    """Makes a pool that opens when first used."""

    def __call__(self, url: str, /, *, size: int, name: str, by_index: bool = False) -> Database:
        """A pool of at most `size` sessions, called `name`."""


def build_parts(
    settings: Settings,
    database_url: str,
    queue_url: str,
    *,
    name: str,
    connections: int,
    by_index: bool = False,
    open_database: OpenDatabase = Database,
) -> Parts:
    """Build the parts of a process. Opens nothing yet: a process may start before its engines do."""
    adapters = find_adapters()
    database = open_database(database_url, size=connections, name=name, by_index=by_index)
    vault = Vault(*secret_keys(settings))
    credentials = Credentials(database, vault)
    buckets = SharedBuckets(queue_url)
    clock = DatabaseClock(utc_now)
    return Parts(
        settings=settings,
        adapters=adapters,
        database=database,
        vault=vault,
        credentials=credentials,
        configuration=ConfigurationReader(
            database=open_database(database_url, size=CONFIGURATION_CONNECTIONS, name=f"{name}-configuration"),
            adapters=adapters,
            mapping_text=mapping_text,
            default_policy=rule_text("routing", "default"),
            clock=clock,
            default_returns=rule_text("returns", "default"),
            default_promise=rule_text("promise", "default"),
            default_holds=rule_text("holds", "default"),
            default_changes=rule_text("changes", "default"),
            address_rules=rule_text("holds", "addresses"),
            default_pick_up=rule_text("pick_up", "default"),
            default_packing=rule_text("packing", "default"),
        ),
        bells=Bells(queue_url),
        buckets=buckets,
        clients=Clients(
            credentials,
            buckets,
            clock,
            settings.public_url,
            longest_pause=min(LONGEST_PAUSE, timedelta(seconds=settings.backoff.cap_seconds)),
            mail=SmtpMailer(any_address if settings.allow_private_subscribers else public_address),
            page=partial(_supplier_page, settings.address, supplier_key(link_key(secret_key(settings)))),
        ),
        new_id=id_source(clock),
        clock=clock,
    )


def _supplier_page(base: str, key: bytes, fulfilment: str, until: datetime) -> str:
    return supplier_url(base, fulfilment, until, key)


def build_worker(parts: Parts) -> Worker:
    """A worker over its parts."""
    settings = parts.settings
    return Worker(
        bells=parts.bells,
        performer=Performer(
            PostgresStore(parts.database), parts.configuration, parts.clock, parts.new_id, settings.batch_size
        ),
        deliverer=Deliverer(
            parts.database,
            parts.configuration,
            parts.clients,
            parts.clock,
            settings.backoff,
            lease_seconds=settings.lease_seconds,
            concurrency=settings.delivery_concurrency,
            ring=parts.bells.here,
        ),
        puller=Puller(parts.database, parts.configuration, parts.clients, parts.clock, parts.bells.here),
        fetcher=Fetcher(
            parts.database, parts.configuration, parts.clients, parts.clock, settings.backoff, parts.bells.here
        ),
        broadcaster=Broadcaster(
            parts.database, parts.configuration, parts.clients, parts.clock, parts.new_id, settings.backoff
        ),
        notifier=build_notifier(parts),
        hold_keeper=HoldKeeper(
            PostgresStore(parts.database), parts.configuration, parts.clock, parts.new_id, parts.bells.here
        ),
        reconciler=Reconciler(parts.database, parts.clock, parts.bells.here),
        sweeper=Sweeper(parts.database, timedelta(days=settings.raw_retention_days), parts.clock),
        sweep_seconds=settings.sweep_seconds,
        batch_size=settings.batch_size,
    )


def shipped_notices() -> Mapping[str, Notices]:
    """What customers read, by language."""
    return {language: load_notices(rule_text("notices", language)) for language in LANGUAGES}


def build_notifier(parts: Parts) -> Notifier:
    """Who tells subscribers."""
    settings = parts.settings
    resolve = any_address if settings.allow_private_subscribers else public_address
    key, base = link_key(secret_key(settings)), settings.address

    def link(order: str, now: datetime) -> str:
        return customer_url(base, order, usual_end(now), key)

    return Notifier(
        parts.database,
        parts.vault,
        {
            Channel.WEBHOOK: Webhooks(parts.clock, resolve),
            Channel.MAIL: Mail(parts.database, shipped_notices(), link, parts.clock, resolve),
        },
        parts.clock,
        settings.backoff,
        lease_seconds=settings.lease_seconds,
        patience=timedelta(hours=settings.subscriber_patience_hours),
    )


def build_web(parts: Parts, routes: Litestar) -> ASGIApp:
    """The web application over its parts."""

    @asynccontextmanager
    async def open_client(connection: str, transport: Transport) -> AsyncIterator[Client]:
        tokens = StoredTokens(parts.database, parts.vault, connection)
        async with HttpClient(transport, clock=parts.clock, buckets=parts.buckets, tokens=tokens) as client:
            yield client

    app = serve_with(
        routes,
        Services(
            database=parts.database,
            vault=parts.vault,
            adapters=parts.adapters,
            settings=parts.settings,
            clock=parts.clock,
            new_id=parts.new_id,
            ring=parts.bells.ring,
            open_client=open_client,
            directory=parts.configuration.directory,
            unit=PostgresUnit,
            schema_revision=newest_revision(),
            mapping_text=mapping_text,
            promise_rules=rule_text("promise", "default"),
            link_key=link_key(secret_key(parts.settings)),
            older_link_keys=[link_key(key) for key in secret_keys(parts.settings)[1:]],
            notices=shipped_notices(),
            exception_rules=rule_text("exceptions", "default"),
        ),
    )
    intake = Intake(
        parts.configuration,
        parts.credentials,
        Grouping(parts.database, parts.clock),
        parts.clock,
        parts.bells.ring,
        public_url=parts.settings.public_url,
        max_body_bytes=parts.settings.max_body_bytes,
    )
    return webhooks_first(app, intake)
