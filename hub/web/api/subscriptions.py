"""Subscriptions: who is told of the hub's own facts, by signed webhooks or by mail to the customer."""

import base64
import os
from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from hub.domain.events import Channel, unknown_filters
from hub.flow.tell import BY_NAME, PROMISE_CHANGED
from hub.sdk.public_address import is_public
from hub.store.admin import subscriptions as stored
from hub.store.admin.errors import Conflict, Fault, Invalid, pointer
from hub.store.admin.paging import Page
from hub.store.admin.subscriptions import SubscriptionView
from hub.store.admin.tokens import Role
from hub.store.events import MailConfig, Secrets, Subscriber, WebhookConfig
from hub.web.auth import NEEDS
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

SECRET_BYTES: Final = 32

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Filters = Annotated[list[Annotated[str, msgspec.Meta(min_length=1, max_length=100)]], msgspec.Meta(max_length=100)]
Url = Annotated[str, msgspec.Meta(min_length=8, max_length=2000)]
HostName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9.:-]{1,253}$")]
Address = Annotated[str, msgspec.Meta(pattern=r"^[^\s<>@,;]{1,64}@[^\s<>@,;]{1,255}$")]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class MailBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server that takes mail for customers."""

    host: HostName
    sender: Address
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Word | None = None
    password: Annotated[Word | None, msgspec.Meta(extra_json_schema={"x-secret": True})] = None
    language: Annotated[str, msgspec.Meta(pattern="^[a-z]{2}$")] = "en"


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either `url`, which is told every event as a signed webhook, or `mail`, which tells customers of their orders."""

    name: Name
    url: Url | None = None
    mail: MailBody | None = None
    types: Filters | None = None
    """Event types; `crossdock.order.*` stands for all that begin so. Left out: every type, or for mail the changed
    promise alone."""
    connections: Filters = []
    """Orders of these connections only."""


class SubscriptionChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be another; the rest stays."""

    name: Name | None = None
    url: Url | None = None
    mail: MailBody | None = None
    types: Filters | None = None
    connections: Filters | None = None


class MadeSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription, with the secret that signs its webhooks: the only time it is shown."""

    subscription: SubscriptionView
    secret: str | None


class ReplayBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when, or from which event on."""

    since: Aware | None = None
    event: Word | None = None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many events are told again."""

    events: int


def new_secret() -> str:
    """A secret of Standard Webhooks."""
    return "whsec_" + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def check_url(url: str, *, private: bool, at: str = "/url") -> None:
    """Raises `Invalid` for what no webhook goes to. Names are looked up when they are used, again every time."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid([Fault("is not a URL", at)]) from error
    if parts.scheme not in ("https", "http") or not host or port == 0 or not url.isascii() or not url.isprintable():
        raise Invalid([Fault("must be an http or https URL with a host", at)])
    if parts.username or parts.password or parts.fragment or " " in url:
        raise Invalid([Fault("must hold no credentials and no fragment: deliveries are signed instead", at)])
    if not private:
        if parts.scheme != "https":
            raise Invalid([Fault("must be https, unless the hub's settings allow private subscribers", at)])
        _check_host(host, at)


def _check_host(host: str, at: str) -> None:
    try:
        public = is_public(host)
    except ValueError:
        public = host != "localhost" and not host.endswith((".localhost", ".internal", ".local"))
    if not public:
        raise Invalid([Fault("is in a private network; the hub's settings do not allow that", at)])


def _check_filters(types: list[str], at: str = "types") -> None:
    unknown = unknown_filters(types, BY_NAME)
    faults = [
        Fault("is no event type; see /asyncapi.json", pointer(at, index))
        for index, name in enumerate(types)
        if name in unknown
    ]
    if faults:
        raise Invalid(faults)


async def _check_connections(tx: Work, names: list[str]) -> None:
    links = (await tx.hub.directory()).links
    known = {name for name, link in links.items() if link.connection.merchant == tx.merchant}
    faults = [
        Fault("is no connection", pointer("connections", index))
        for index, name in enumerate(names)
        if name not in known
    ]
    if faults:
        raise Invalid(faults)


def _config(tx: Work, url: str | None, mail: MailBody | None) -> tuple[Channel, WebhookConfig | MailConfig]:
    private = tx.hub.settings.allow_private_subscribers
    if (url is None) == (mail is None):
        raise Invalid([Fault("give either a url or mail", "")])
    if url is not None:
        check_url(url, private=private)
        return Channel.WEBHOOK, WebhookConfig(url=url)
    assert mail is not None
    if not private:
        _check_host(mail.host, "/mail/host")
    config = MailConfig(
        host=mail.host,
        sender=mail.sender,
        port=mail.port,
        security=mail.security,
        username=mail.username,
        language=mail.language,
    )
    return Channel.MAIL, config


async def make(tx: Work, data: NewSubscription) -> MadeSubscription:
    """Make a subscription."""
    channel, config = _config(tx, data.url, data.mail)
    types = data.types
    if types is None:
        types = [PROMISE_CHANGED] if channel is Channel.MAIL else []
    _check_filters(types)
    await _check_connections(tx, data.connections)
    secret = new_secret() if channel is Channel.WEBHOOK else None
    secrets = Secrets(secret=secret, password=data.mail.password if data.mail else None)
    one = Subscriber(tx.hub.new_id(), tx.merchant, data.name, channel, config, secrets, failing=False)
    await stored.put_subscription(tx.connection, one, types, data.connections, tx.hub.vault)
    return MadeSubscription(
        subscription=await stored.get_subscription(tx.connection, tx.merchant, one.id), secret=secret
    )


async def change(tx: Work, id: str, data: SubscriptionChanges) -> SubscriptionView:
    """Change a subscription."""
    view = await stored.get_subscription(tx.connection, tx.merchant, id)
    one = await stored.find_subscriber(tx.connection, tx.merchant, id, tx.hub.vault)
    if data.url is not None or data.mail is not None:
        channel, config = _config(tx, data.url, data.mail)
        if channel is not one.channel:
            raise Conflict("another-channel", f"subscription {id} is told by {one.channel.value}; make another one")
        secrets = one.secrets
        if data.mail is not None and data.mail.password is not None:
            secrets = msgspec.structs.replace(secrets, password=data.mail.password)
        one = one._replace(config=config, secrets=secrets)
    types = view.types if data.types is None else data.types
    links = view.connections if data.connections is None else data.connections
    _check_filters(types)
    await _check_connections(tx, links if data.connections is not None else [])
    await stored.put_subscription(tx.connection, one._replace(name=data.name or one.name), types, links, tx.hub.vault)
    return await stored.get_subscription(tx.connection, tx.merchant, id)


async def rotate(tx: Work, id: str) -> MadeSubscription:
    """A new secret; the one before signs too until the next rotation."""
    one = await stored.find_subscriber(tx.connection, tx.merchant, id, tx.hub.vault)
    if one.channel is not Channel.WEBHOOK:
        raise Conflict("no-secret", f"subscription {id} is told by {one.channel.value}, which nothing signs")
    secret = new_secret()
    secrets = msgspec.structs.replace(one.secrets, secret=secret, previous=one.secrets.secret)
    await stored.put_secrets(tx.connection, id, secrets, tx.hub.vault)
    return MadeSubscription(subscription=await stored.get_subscription(tx.connection, tx.merchant, id), secret=secret)


async def set_paused(tx: Work, id: str, paused: bool) -> SubscriptionView:
    """Pause, or resume."""
    await stored.get_subscription(tx.connection, tx.merchant, id)
    await stored.set_paused(tx.connection, id, paused, tx.actor.name, tx.now)
    tx.ring("notify")
    return await stored.get_subscription(tx.connection, tx.merchant, id)


async def replay(tx: Work, id: str, data: ReplayBody) -> Replayed:
    """Tell again."""
    if (data.since is None) == (data.event is None):
        raise Invalid([Fault("give either since or event", "")])
    view = await stored.get_subscription(tx.connection, tx.merchant, id)
    if view.channel == Channel.MAIL.value:
        raise Conflict("mail-is-sent-once", "customers are not told twice; replay webhooks only")
    count = await stored.replay(tx.connection, id, data.since, data.event)
    tx.ring("notify")
    return Replayed(events=count)


async def remove(tx: Work, id: str) -> None:
    """Remove."""
    await stored.get_subscription(tx.connection, tx.merchant, id)
    await stored.remove(tx.connection, id, tx.actor.name, tx.now)


class Subscriptions(Controller):
    """Who is told of the hub's own facts. What they are told: /asyncapi.json."""

    path = "/subscriptions"
    tags = ("subscriptions",)
    opt = {NEEDS: Role.INTEGRATOR}  # noqa: RUF012

    @get("/", summary="List subscriptions")
    async def list_subscriptions(self, hub: Hub, request: ApiRequest, cut: Paged) -> Page[SubscriptionView]:
        """Subscriptions, the newest first."""
        async with hub.database.connection() as connection:
            return await stored.list_subscriptions(connection, request.user.merchant, cut)

    @post("/", summary="Subscribe")
    async def subscribe(
        self, hub: Hub, request: ApiRequest, data: JSONBody[NewSubscription]
    ) -> Response[MadeSubscription]:
        """From now on. The answer shows the signing secret, once; a repeat under the same key shows it no more."""
        return await commit(hub, request, lambda tx: make(tx, data), status=201, keep_as=_without_secret)

    @get("/{id:str}", summary="Read a subscription")
    async def get_subscription(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> SubscriptionView:
        """One subscription, and how it fares."""
        async with hub.database.connection() as connection:
            return await stored.get_subscription(connection, request.user.merchant, id)

    @patch("/{id:str}", summary="Change a subscription")
    async def change(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[SubscriptionChanges]
    ) -> Response[SubscriptionView]:
        """Filters count for what happens from now on, an address for everything that is still to be told."""
        return await commit(hub, request, lambda tx: change(tx, id, data))

    @delete("/{id:str}", summary="Unsubscribe")
    async def remove(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[None]:
        """What it was still to be told is dropped."""
        return await commit(hub, request, lambda tx: remove(tx, id), status=204)

    @post("/{id:str}/rotate", summary="Rotate the signing secret", status_code=200)
    async def rotate(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[MadeSubscription]:
        """Deliveries carry a signature of the new secret and one of the last, until the next rotation."""
        return await commit(hub, request, lambda tx: rotate(tx, id), keep_as=_without_secret)

    @post("/{id:str}/pause", summary="Pause a subscription", status_code=200)
    async def pause(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[SubscriptionView]:
        """Nothing is sent; what happens meanwhile is kept for it."""
        return await commit(hub, request, lambda tx: set_paused(tx, id, paused=True))

    @post("/{id:str}/resume", summary="Resume a subscription", status_code=200)
    async def resume(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[SubscriptionView]:
        """It is told what it missed, in order."""
        return await commit(hub, request, lambda tx: set_paused(tx, id, paused=False))

    @post("/{id:str}/replay", summary="Tell it again", status_code=200)
    async def replay(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[ReplayBody]
    ) -> Response[Replayed]:
        """What it was told since a time, or from an event on, under the same event ids."""
        return await commit(hub, request, lambda tx: replay(tx, id, data))


def _without_secret(made: MadeSubscription) -> MadeSubscription:
    return msgspec.structs.replace(made, secret=None)
