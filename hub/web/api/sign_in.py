"""Signing in at a vendor: the merchant is sent there with a state that we signed, and comes back with a code."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final

import msgspec
import structlog
from litestar import MediaType, Request, Response, get

from hub.domain.signed_link import BadLink, sign, verify
from hub.sdk.adapter import Adapter
from hub.sdk.auth import PLACE, granted_token
from hub.sdk.outcomes import Interrupted
from hub.sdk.redaction import redact_text
from hub.sdk.sign_in import NotGenuine, SignIn
from hub.sdk.wire import NoAuth
from hub.sdk.wire import Request as Call
from hub.store.admin import connections
from hub.store.admin.connections import Stored
from hub.store.admin.errors import Conflict, Missing
from hub.store.credentials import StoredTokens
from hub.store.vault import SealBroken
from hub.web.api.connections import open_secrets
from hub.web.reading import storable_text
from hub.web.services import Hub, Services

PATH: Final = "/oauth/callback"
PURPOSE: Final = b"crossdock sign-in 1"
TIME_TO_AGREE: Final = timedelta(minutes=15)
LONGEST_STATE: Final = 500
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    # The address holds the code.
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}

log = structlog.get_logger(__name__)


class SignInStart(msgspec.Struct, frozen=True, kw_only=True):
    """Where the merchant goes to agree, and until when the way back is open."""

    url: str
    expires_at: datetime
    redirect_uri: str
    """Register this with the vendor's app: vendors send nobody back to another address."""


class SignInDone(msgspec.Struct, frozen=True, kw_only=True):
    """The token is kept."""

    connection: str
    expires_at: datetime | None
    renews: bool
    """Whether it came with a refresh token; without one somebody signs in again when it ends."""


class NotSignedIn(Exception):
    """Nothing was granted; the message says what to do."""


def start(hub: Services, stored: Stored) -> SignInStart:
    """The vendor's page for this connection. Raises `Missing`, `Conflict`."""
    adapter, how = _how(hub, stored)
    settings, until = _settings(hub, adapter, stored), hub.clock() + TIME_TO_AGREE
    state = sign(f"{stored.merchant}:{stored.id}", until, _key(hub))
    try:
        url = how.authorise(settings, state, _redirect_uri(hub))
    except NotGenuine as error:
        raise Conflict("no-sign-in", f"Connection {stored.id}: {error}") from error
    return SignInStart(url=url, expires_at=until, redirect_uri=_redirect_uri(hub))


async def exchange(hub: Services, stored: Stored, session: str) -> SignInDone:
    """Change the token of a session at the vendor into one of ours. Raises `Missing`, `Conflict`, `NotSignedIn`."""
    adapter, how = _how(hub, stored)
    if how.exchange is None:
        raise Missing(f"the adapter {stored.adapter} exchanges no session tokens; sign in by redirect")
    settings = _settings(hub, adapter, stored)
    try:
        call = how.exchange(settings, session, hub.clock())
    except NotGenuine as error:
        raise NotSignedIn(str(error)) from error
    return await _redeem(hub, stored, adapter, settings, call)


@get(PATH, include_in_schema=False)
async def callback(hub: Hub, request: Request[Any, Any, Any]) -> Response[str]:
    """The merchant comes back. Whoever has no state of ours learns nothing."""
    query = dict(request.query_params.items())
    try:
        done = await _back(hub, query)
    except NotSignedIn as error:
        log.warning("sign_in.refused", reason=str(error))
        return _page("Not connected", f"{error}. Start the sign-in again.", 400)
    return _page("Connected", f"Connection {done.connection} is signed in. This window can be closed.", 200)


async def _back(hub: Services, query: Mapping[str, str]) -> SignInDone:
    state = query.get("state", "")
    if not hub.link_key or len(state) > LONGEST_STATE or not all(map(storable_text, query.values())):
        raise NotSignedIn("the address is not one that the hub gave out")
    try:
        merchant, _, id = verify(state, hub.clock(), _key(hub)).rpartition(":")
    except BadLink as error:
        raise NotSignedIn("the sign-in was not begun here, or more than 15 minutes ago") from error
    async with hub.database.connection() as connection:
        try:
            stored = await connections.get_connection(connection, merchant, id)
        except Missing as error:
            raise NotSignedIn(str(error)) from error
    try:
        adapter, how = _how(hub, stored)
        settings = _settings(hub, adapter, stored)
        call = how.granted(settings, query, _redirect_uri(hub))
    except (Missing, Conflict, NotGenuine) as error:
        raise NotSignedIn(redact_text(str(error))) from error
    return await _redeem(hub, stored, adapter, settings, call)


async def _redeem(hub: Services, stored: Stored, adapter: Adapter, settings: msgspec.Struct, call: Call) -> SignInDone:
    """Get the token, no transaction open, and keep it; it is durable before its first use."""
    transport = adapter.transport(settings)
    placeless = {name: value for name, value in transport.headers.items() if PLACE not in value}
    bare = msgspec.structs.replace(transport, auth=NoAuth(), headers=placeless, limits=())
    try:
        async with hub.open_client(stored.id, bare) as client:
            token = granted_token(await client.send(call), hub.clock())
    except Interrupted as error:
        raise NotSignedIn(redact_text(error.outcome.reason)) from error
    await StoredTokens(hub.database, hub.vault, stored.id).replace(token)
    told = {"at": hub.clock(), "ok": True, "expires_at": token.expires_at}
    async with hub.database.connection() as connection:
        await connections.note_health(connection, stored.id, "sign_in", told)
    for lane in ("pull", "deliver", "availability"):
        hub.ring(lane)
    return SignInDone(connection=stored.id, expires_at=token.expires_at, renews=token.refresh_token is not None)


def _how(hub: Services, stored: Stored) -> tuple[Adapter, SignIn]:
    adapter = hub.adapters.get(stored.adapter)
    if adapter is None or adapter.sign_in is None:
        raise Missing(f"the adapter {stored.adapter} has no sign-in by redirect; PATCH its tokens into config")
    return adapter, adapter.sign_in


def _settings(hub: Services, adapter: Adapter, stored: Stored) -> msgspec.Struct:
    try:
        return msgspec.convert(stored.config | open_secrets(hub, stored), adapter.settings)
    except (SealBroken, msgspec.ValidationError) as error:
        raise Conflict("config", f"Connection {stored.id}: {error}; correct its config first") from error


def _redirect_uri(hub: Services) -> str:
    return f"{hub.settings.address}{PATH}"


def _key(hub: Services) -> bytes:
    return hmac.new(hub.link_key, PURPOSE, hashlib.sha256).digest()


def _page(title: str, text: str, status: int) -> Response[str]:
    html = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>\n"
    )
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=dict(HEADERS))


ROUTES: Final = (callback,)
