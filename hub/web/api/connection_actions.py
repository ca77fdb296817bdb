"""A connection's test, its pulls, its sign-in."""

import asyncio
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from hub.domain.network import Connection, Mode
from hub.sdk.adapter import Adapter
from hub.sdk.capabilities import Check, Context
from hub.sdk.connecting import files_of
from hub.sdk.outcomes import Interrupted
from hub.sdk.redaction import redact_text
from hub.sdk.translate import Malformed, Unmapped
from hub.store.admin import connections
from hub.store.admin.connections import Stored
from hub.store.admin.errors import Conflict, Fault, Invalid, pointer
from hub.store.admin.tokens import Role
from hub.store.vault import SealBroken
from hub.web.api.connections import ConnectionView, open_secrets, view
from hub.web.api.sign_in import NotSignedIn, SignInDone, SignInStart, exchange, start
from hub.web.auth import NEEDS
from hub.web.openapi import UNKEYED
from hub.web.services import ApiRequest, Hub, Services, Work, commit

TEST_SECONDS: Final = 25.0

UNREADABLE: Final = (Malformed, Unmapped, msgspec.MsgspecError, ValueError, LookupError, TypeError, AttributeError)
"""What an adapter's reading of an answer from the wrong address may raise."""


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection test found."""

    ok: bool
    account: str | None
    """The account's name as the vendor says it."""
    checks: list[Check]


class PullRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which pulls; none named means all."""

    operations: Annotated[list[str], msgspec.Meta(max_length=50)] = []


class SessionToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vendor's token of a session of its user, as an embedded app is given it."""

    subject_token: Annotated[str, msgspec.Meta(min_length=1, max_length=8000)]


async def test_connection(hub: Services, stored: Stored) -> ProbeReport:
    """Ask the vendor, with no transaction open. Whatever fails is a check that failed, not an error."""
    adapter = hub.adapters.get(stored.adapter)
    if adapter is None:
        return _failed("adapter", f"the adapter {stored.adapter!r} is not installed")
    try:
        settings = msgspec.convert(stored.config | open_secrets(hub, stored), adapter.settings)
    except (SealBroken, msgspec.ValidationError) as error:
        return _failed("config", str(error))
    config = Check(name="config", ok=True, detail="complete")
    if adapter.probe is None:
        return ProbeReport(ok=True, account=stored.account, checks=[config])
    try:
        async with asyncio.timeout(TEST_SECONDS):
            report = await _probe(hub, adapter, stored, settings)
    except TimeoutError:
        return _failed("reach", f"no answer within {TEST_SECONDS:.0f} seconds", config)
    except Interrupted as error:
        return _failed("reach", f"{type(error.outcome).__name__}: {error.outcome.reason}", config)
    except OSError as error:
        return _failed("reach", str(error) or type(error).__name__, config)
    except UNREADABLE as error:
        return _failed("answer", f"cannot be understood ({error}): is this the vendor's address?", config)
    return msgspec.structs.replace(report, checks=[config, *report.checks])


async def _probe(hub: Services, adapter: Adapter, stored: Stored, settings: msgspec.Struct) -> ProbeReport:
    assert adapter.probe is not None
    transport = adapter.transport(settings)
    async with hub.open_client(stored.id, transport) as client, files_of(transport, hub.clock) as files:
        context: Context[Any] = Context(
            connection=_connection(stored), settings=settings, client=client, now=hub.clock, files=files
        )
        probe = await adapter.probe(context)
    same = probe.account == stored.account
    detail = f"is {probe.account!r}" if same else f"the vendor says {probe.account!r}, the config {stored.account!r}"
    checks = [*probe.checks, Check(name="account", ok=same, detail=detail)]
    return ProbeReport(ok=all(check.ok for check in checks), account=probe.account, checks=checks)


def _failed(name: str, detail: str, *before: Check) -> ProbeReport:
    check = Check(name=name, ok=False, detail=redact_text(detail))
    return ProbeReport(ok=False, account=None, checks=[*before, check])


def _connection(stored: Stored) -> Connection:
    return Connection(
        id=stored.id,
        merchant=stored.merchant,
        account=stored.account_id,
        account_name=stored.account,
        adapter=stored.adapter,
        name=stored.name,
        modes={name: Mode(mode) for name, mode in stored.modes.items()},
        live_from=stored.live_from,
        enabled=stored.enabled,
        paused=stored.paused,
    )


async def pull(tx: Work, id: str, data: PullRequest | None) -> ConnectionView:
    """Make pulls due now."""
    stored = await connections.get_connection(tx.connection, tx.merchant, id)
    asked = list(data.operations) if data else []
    faults = [
        Fault(f"is not a pull of this connection: {', '.join(stored.schedule)}", pointer("operations", index))
        for index, name in enumerate(asked)
        if name not in stored.schedule
    ]
    if faults:
        raise Invalid(faults)
    if not stored.enabled or stored.paused:
        raise Conflict("not-running", "The connection is disabled or paused; resume it, then pull")
    if not stored.schedule:
        raise Conflict("no-pulls", f"The adapter {stored.adapter} has nothing to pull; it is told by webhooks alone")
    await connections.pull_now(tx.connection, id, asked or list(stored.schedule), tx.now)
    tx.ring("pull")
    return view(tx.hub, await connections.get_connection(tx.connection, tx.merchant, id))


class ConnectionActions(Controller):
    """What a connection is told to do at once."""

    path = "/connections"
    tags = ("connections",)
    opt = {NEEDS: Role.INTEGRATOR}  # noqa: RUF012

    @post("/{id:str}/test", summary="Test a connection", status_code=200, opt={UNKEYED: True})
    async def test(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> ProbeReport:
        """Ask the vendor who we are. An unreachable vendor is a check that failed, never an error of this call."""
        async with hub.database.connection() as connection:
            stored = await connections.get_connection(connection, request.user.merchant, id)
        report = await test_connection(hub, stored)
        async with hub.database.connection() as connection:
            told = {"at": hub.clock(), "ok": report.ok, "checks": report.checks}
            await connections.note_health(connection, id, "test", told)
        return report

    @post("/{id:str}/pull", summary="Pull now", status_code=200)
    async def pull(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[PullRequest | None] = None
    ) -> Response[ConnectionView]:
        """Make the connection's pulls due now; they go on from their cursor."""
        return await commit(hub, request, lambda tx: pull(tx, id, data))

    @get("/{id:str}/oauth/start", summary="Start a sign-in at the vendor")
    async def oauth_start(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> SignInStart:
        """Where the merchant goes to agree; whoever comes back from there brings the token."""
        async with hub.database.connection() as connection:
            stored = await connections.get_connection(connection, request.user.merchant, id)
        return start(hub, stored)

    @post(
        "/{id:str}/oauth/exchange", summary="Sign in with a session of the vendor", status_code=200, opt={UNKEYED: True}
    )
    async def oauth_exchange(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[SessionToken]
    ) -> SignInDone:
        """Change the token of an embedded app's session into a token of the connection's own."""
        async with hub.database.connection() as connection:
            stored = await connections.get_connection(connection, request.user.merchant, id)
        try:
            return await exchange(hub, stored, data.subject_token)
        except NotSignedIn as error:
            raise Conflict("not-signed-in", f"Nothing was granted: {error}") from error
