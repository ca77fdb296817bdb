"""Connections: made, changed, paused, disabled. Tests and pulls are in `connection_actions`."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hub.domain.network import Mode
from hub.domain.payment import CapturedBy
from hub.sdk.adapter import Adapter
from hub.sdk.redaction import hidden_fields
from hub.sdk.wire import Auth, RefreshToken
from hub.store.admin import connections
from hub.store.admin.connections import ScheduleView, Stored
from hub.store.admin.errors import Fault, Invalid, pointer
from hub.store.admin.paging import Page, page
from hub.store.admin.tokens import Role
from hub.store.credentials import SECRETS_FIELD, TABLE
from hub.store.vault import SealBroken, Secrets
from hub.web.auth import NEEDS
from hub.web.paging import Paged
from hub.web.reading import examine
from hub.web.services import ApiRequest, Hub, Services, Work, commit

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=31_536_000)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class ScheduleChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a pull runs."""

    every_seconds: Seconds | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class NewConnection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connection to make. `config` fits the adapter's `config_schema`."""

    adapter: str
    config: dict[str, Any]
    name: Name | None = None
    modes: dict[str, Mode] = {}
    live_from: Aware | None = None
    enabled: bool = True
    captured_by: CapturedBy | None = None
    """Who captures payments: the channel itself (the default), the hub when goods leave, or nobody."""
    schedule: dict[str, ScheduleChange] = {}


class ConnectionChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change. `config` is merged: an absent key keeps its value, null takes an optional one away."""

    name: Name | UnsetType = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    modes: dict[str, Mode] | UnsetType = UNSET
    live_from: Aware | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    captured_by: CapturedBy | UnsetType = UNSET
    schedule: dict[str, ScheduleChange] | UnsetType = UNSET


class ConnectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A connection. Secrets are write-only: `secrets` names those that are set."""

    id: str
    adapter: str
    name: str
    account: str
    config: dict[str, Any]
    secrets: list[str]
    modes: dict[str, str]
    """By capability."""
    live_from: datetime | None
    enabled: bool
    paused: bool
    captured_by: str
    """Who captures the account's payments."""
    schedule: dict[str, ScheduleView]
    """By what is pulled."""
    cursor: dict[str, str | None]
    """How far each pull has come, in the adapter's words."""
    health: dict[str, Any]
    created_at: datetime
    updated_at: datetime


def view(hub: Services, stored: Stored) -> ConnectionView:
    """A connection as the API shows it."""
    adapter = hub.adapters.get(stored.adapter)
    capabilities = adapter.capabilities if adapter else tuple(stored.modes)
    try:
        names = sorted(name for name, value in open_secrets(hub, stored).items() if value)
    except SealBroken:
        names = []
    return ConnectionView(
        id=stored.id,
        adapter=stored.adapter,
        name=stored.name,
        account=stored.account,
        config=stored.config,
        secrets=names,
        modes={
            name: stored.modes.get(name, (adapter.unset_mode(name) if adapter else Mode.LIVE).value)
            for name in capabilities
        },
        live_from=stored.live_from,
        enabled=stored.enabled,
        paused=stored.paused,
        captured_by=stored.captured_by,
        schedule=stored.schedule,
        cursor=stored.cursor,
        health=stored.health,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def open_secrets(hub: Services, stored: Stored) -> Secrets:
    """The secret part of a connection's config. Raises `SealBroken`."""
    if stored.secrets is None:
        return {}
    return hub.vault.open(stored.secrets, table=TABLE, row=stored.id, field=SECRETS_FIELD)


def check_config(adapter: Adapter, config: dict[str, Any], faults: list[Fault]) -> msgspec.Struct:
    """The adapter's settings from a config; raises `Invalid` with every fault, those found before included."""
    examine(adapter.settings, config, "/config", faults)
    url = config.get("base_url")
    if isinstance(url, str) and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        faults.append(Fault("must be an http or https URL", "/config/base_url"))
    if not faults:
        try:
            return msgspec.convert(config, adapter.settings)
        except msgspec.ValidationError as error:
            faults.append(Fault(str(error), "/config"))
    raise Invalid(faults)


def _account_name(adapter: Adapter, settings: msgspec.Struct) -> str:
    try:
        name = adapter.account(settings)
    except ValueError as error:
        raise Invalid([Fault(str(error), "/config")]) from error
    if not name:
        raise Invalid([Fault("names no account", "/config")])
    return name


def _split(adapter: Adapter, settings: msgspec.Struct, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was given of a config, as plain and as secret values; defaults are not frozen into rows."""
    plain: dict[str, Any] = {}
    secret: dict[str, Any] = {}
    hidden = hidden_fields(adapter.settings)
    for name, value in msgspec.to_builtins(settings).items():
        if name in given:
            (secret if name in hidden else plain)[name] = value
    return plain, secret


def _check_names(adapter: Adapter, modes: dict[str, Mode], schedule: dict[str, ScheduleChange]) -> list[Fault]:
    faults = [
        Fault(f"is not a capability of {adapter.name}: {', '.join(adapter.capabilities)}", pointer("modes", name))
        for name in modes
        if name not in adapter.capabilities
    ]
    return faults + [
        Fault(
            f"is not a pull of {adapter.name}: {', '.join(adapter.pulls) or 'it has none'}", pointer("schedule", name)
        )
        for name in schedule
        if name not in adapter.pulls
    ]


def _plans(adapter: Adapter, stored: Stored | None, change: dict[str, ScheduleChange]) -> dict[str, tuple[int, bool]]:
    plans = {}
    for name, pull in adapter.pulls.items():
        old = stored.schedule.get(name) if stored else None
        every, enabled = (old.every_seconds, old.enabled) if old else (pull.every_seconds, True)
        asked = change.get(name, ScheduleChange())
        plans[name] = (
            every if asked.every_seconds is UNSET else asked.every_seconds,
            enabled if asked.enabled is UNSET else asked.enabled,
        )
    return plans


async def make(tx: Work, data: NewConnection) -> ConnectionView:
    """Make a connection and, when it is the first, its account."""
    hub = tx.hub
    adapter = hub.adapters.get(data.adapter)
    if adapter is None:
        names = ", ".join(sorted(hub.adapters))
        raise Invalid(
            [
                Fault(
                    f"no adapter {data.adapter!r}; there are: {names}. A new adapter is found when the hub starts",
                    "/adapter",
                )
            ]
        )
    settings = check_config(adapter, data.config, _check_names(adapter, data.modes, data.schedule))
    name = _account_name(adapter, settings)
    account = await connections.claim_account(tx.connection, tx.merchant, adapter.name, name)
    if data.enabled:
        await connections.refuse_second(tx.connection, account)
    plain, secret = _split(adapter, settings, data.config)
    id = hub.new_id()
    await connections.insert_connection(
        tx.connection,
        id=id,
        merchant=tx.merchant,
        account=account,
        adapter=adapter.name,
        name=data.name or name,
        config=plain,
        secrets=hub.vault.seal(secret, table=TABLE, row=id, field=SECRETS_FIELD) if secret else None,
        modes=data.modes,
        live_from=data.live_from,
        enabled=data.enabled,
    )
    if data.captured_by is not None:
        await connections.declare_capture(tx.connection, account, data.captured_by.value)
    await connections.plan_pulls(tx.connection, id, _plans(adapter, None, data.schedule))
    tx.ring("pull")
    return view(hub, await connections.get_connection(tx.connection, tx.merchant, id))


async def change(tx: Work, id: str, data: ConnectionChange) -> ConnectionView:
    """Change a connection. It cannot move to another account: orders are identified by it."""
    hub = tx.hub
    stored = await connections.get_connection(tx.connection, tx.merchant, id, lock=True)
    adapter = hub.adapters.get(stored.adapter)
    if adapter is None:
        raise Invalid([Fault(f"the adapter {stored.adapter!r} is not installed", "")])
    modes = {} if data.modes is UNSET else data.modes
    schedule = {} if data.schedule is UNSET else data.schedule
    faults = _check_names(adapter, modes, schedule)
    changed = replace(
        stored,
        name=stored.name if data.name is UNSET else data.name,
        modes=stored.modes | {name: mode.value for name, mode in modes.items()},
        live_from=stored.live_from if data.live_from is UNSET else data.live_from,
        enabled=stored.enabled if data.enabled is UNSET else data.enabled,
    )
    if data.config is not UNSET:
        changed = _merge_config(hub, adapter, changed, data.config, faults)
    if faults:
        raise Invalid(faults)
    if changed.enabled and not stored.enabled:
        await connections.claim_account(tx.connection, tx.merchant, stored.adapter, stored.account)
        await connections.refuse_second(tx.connection, stored.account_id, but=id)
    await connections.update_connection(tx.connection, changed)
    if data.config is not UNSET and _grant(hub, adapter, stored) != _grant(hub, adapter, changed):
        await connections.forget_token(tx.connection, id)
    if data.captured_by is not UNSET:
        await connections.declare_capture(tx.connection, stored.account_id, data.captured_by.value)
    await connections.plan_pulls(tx.connection, id, _plans(adapter, stored, schedule))
    tx.ring("pull", "deliver", "availability")
    return view(hub, await connections.get_connection(tx.connection, tx.merchant, id))


def _merge_config(
    hub: Services, adapter: Adapter, stored: Stored, given: dict[str, Any], faults: list[Fault]
) -> Stored:
    try:
        secrets = open_secrets(hub, stored)
    except SealBroken:
        # The key is lost: whoever enters every secret again gets the connection back.
        secrets = {}
    merged = {name: value for name, value in (stored.config | secrets | given).items() if value is not None}
    settings = check_config(adapter, merged, faults)
    if _account_name(adapter, settings) != stored.account:
        text = f"belongs to another account than {stored.account!r}; make a new connection for it"
        raise Invalid([Fault(text, "/config")])
    plain, secret = _split(adapter, settings, merged)
    sealed = hub.vault.seal(secret, table=TABLE, row=stored.id, field=SECRETS_FIELD) if secret else None
    return replace(stored, config=plain, secrets=sealed)


def _grant(hub: Services, adapter: Adapter, stored: Stored) -> Auth | None:
    """What a kept token was granted to. A secret may be replaced while the token it got stays good."""
    try:
        settings = msgspec.convert(stored.config | open_secrets(hub, stored), adapter.settings)
    except (SealBroken, msgspec.ValidationError):
        return None
    auth = adapter.transport(settings).auth
    return replace(auth, client_secret="") if isinstance(auth, RefreshToken) else auth


async def set_flags(tx: Work, id: str, *, enabled: bool | None = None, paused: bool | None = None) -> ConnectionView:
    """Pause, resume or disable."""
    stored = await connections.get_connection(tx.connection, tx.merchant, id, lock=True)
    changed = replace(
        stored,
        enabled=stored.enabled if enabled is None else enabled,
        paused=stored.paused if paused is None else paused,
    )
    await connections.update_connection(tx.connection, changed)
    tx.ring("pull", "deliver", "availability")
    return view(tx.hub, changed)


class Connections(Controller):
    """Credentials to a vendor's account, and how far they act."""

    path = "/connections"
    tags = ("connections",)
    opt = {NEEDS: Role.INTEGRATOR}  # noqa: RUF012

    @get("/", summary="List connections", opt={NEEDS: Role.VIEWER})
    async def list_connections(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        adapter: FromQuery[str | None] = None,
        enabled: FromQuery[bool | None] = None,
    ) -> Page[ConnectionView]:
        """Connections, disabled ones included."""
        async with hub.database.connection() as connection:
            rows = await connections.list_connections(
                connection, request.user.merchant, cut, adapter=adapter, enabled=enabled
            )
        return page([view(hub, row) for row in rows], cut, lambda found: (found.id,))

    @post("/", summary="Make a connection")
    async def create_connection(
        self, hub: Hub, request: ApiRequest, data: JSONBody[NewConnection]
    ) -> Response[ConnectionView]:
        """Connect to a vendor's account. It is live at once unless `modes` or `live_from` says otherwise."""
        return await commit(hub, request, lambda tx: make(tx, data), status=201)

    @get("/{id:str}", summary="Read a connection", opt={NEEDS: Role.VIEWER})
    async def get_connection(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> ConnectionView:
        """One connection."""
        async with hub.database.connection() as connection:
            return view(hub, await connections.get_connection(connection, request.user.merchant, id))

    @patch("/{id:str}", summary="Change a connection")
    async def change_connection(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[ConnectionChange]
    ) -> Response[ConnectionView]:
        """Change settings; an absent secret keeps its value."""
        return await commit(hub, request, lambda tx: change(tx, id, data))

    @delete("/{id:str}", summary="Disable a connection")
    async def disable_connection(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[None]:
        """Disable: nothing is received, pulled or sent. Its orders and history stay; PATCH `enabled` brings it back."""

        async def work(tx: Work) -> None:
            await set_flags(tx, id, enabled=False)

        return await commit(hub, request, work, status=204)

    @post("/{id:str}/pause", summary="Pause a connection", status_code=200)
    async def pause(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[ConnectionView]:
        """Hold what goes out and what is pulled; deliveries are still stored. Nothing is lost."""
        return await commit(hub, request, lambda tx: set_flags(tx, id, paused=True))

    @post("/{id:str}/resume", summary="Resume a connection", status_code=200)
    async def resume(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[ConnectionView]:
        """Go on."""
        return await commit(hub, request, lambda tx: set_flags(tx, id, paused=False))
