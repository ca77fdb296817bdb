"""How a request proves who it comes from. Tokens are renewed once for all processes and saved before first use."""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never
from urllib.parse import parse_qsl, urlsplit

import msgspec
from authlib.oauth1.rfc5849.parameters import prepare_headers
from authlib.oauth1.rfc5849.signature import construct_base_string
from authlib.oauth1.rfc5849.util import escape
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Interrupted, RetryLater, Unauthorised
from hub.sdk.wire import (
    Basic,
    ClientCredentials,
    NoAuth,
    OAuth1,
    PasswordToken,
    RefreshToken,
    Response,
    Ssh,
    Transport,
)

LEEWAY: Final = timedelta(seconds=60)
"""A token this near its end is renewed first: requests take time, and clocks differ."""
OTHERS_PATIENCE_SECONDS: Final = 2.0
"""How long to wait for another process that is renewing the same token."""
PLACE: Final = "{access_token}"
"""Where a transport header wants the token, for vendors that read it elsewhere than in Authorization."""
FORM: Final = "application/x-www-form-urlencoded"

Grant = ClientCredentials | RefreshToken | PasswordToken
Post = Callable[[str, Mapping[str, str], bytes], Awaitable[Response]]
"""Sends (url, headers, body) to a token endpoint. Raises `Interrupted` (RetryLater) when no whole answer came."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a grant brought. Secret as a whole: stored encrypted, printed masked."""

    access_token: str
    expires_at: datetime | None = None
    """None when the vendor does not say: used until it is refused."""
    refresh_token: str | None = None
    """The pair's other half, where the vendor rotates it."""

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at})"


class TokenStore(Protocol):
    """Keeps one connection's token. Cleared when the connection's credentials change. No call holds a transaction."""

    async def load(self) -> Token | None:
        """The newest token, of whichever process; None when there is none."""
        ...

    async def claim(self) -> bool:
        """Take the lease on renewing; False while another process has it. It ends with `save` or by itself."""
        ...

    async def save(self, token: Token) -> None:
        """Keep the token and end the lease. Durable when it returns: it is called before the token's first use."""
        ...


class MemoryTokenStore:
    """A store for one process: tests, the command line, adapters whose tokens are cheap to fetch."""

    def __init__(self, token: Token | None = None) -> None:
        self.token = token

    async def load(self) -> Token | None:
        """See `TokenStore.load`."""
        return self.token

    async def claim(self) -> bool:
        """See `TokenStore.claim`; always given, since a process's own requests already queue in their signer."""
        return True

    async def save(self, token: Token) -> None:
        """See `TokenStore.save`."""
        self.token = token


class Signer(Protocol):
    """Makes the headers that authorise a request."""

    async def sign(self, method: str, url: str, content_type: str, body: bytes | None) -> Mapping[str, str]:
        """Headers for this request. Raises `Interrupted` when no token can be had."""
        ...

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """The vendor refused these headers: whether there are fresh ones to try once more."""
        ...


def signer(transport: Transport, *, tokens: TokenStore, post: Post, clock: Callable[[], datetime]) -> Signer:
    """The signer of a transport's `auth`."""
    auth = transport.auth
    match auth:
        case NoAuth() | Ssh():
            return StaticSigner({})
        case Basic():
            pair = base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode()
            return StaticSigner({"authorization": f"Basic {pair}"})
        case OAuth1():
            return OAuth1Signer(auth, clock)
        case ClientCredentials() | RefreshToken() | PasswordToken():
            placed = {name: value for name, value in transport.headers.items() if PLACE in value}
            return TokenSigner(auth, placed or {"authorization": f"Bearer {PLACE}"}, tokens, post, clock)
        case _:
            assert_never(auth)


class StaticSigner:
    """The same headers always; once refused there is nothing better to try."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    async def sign(self, method: str, url: str, content_type: str, body: bytes | None) -> Mapping[str, str]:
        """See `Signer.sign`."""
        return self._headers

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """See `Signer.renew`."""
        return False


class OAuth1Signer:
    """OAuth 1.0a, HMAC-SHA256, as Magento's integrations want it. Every request has its own nonce."""

    def __init__(self, auth: OAuth1, clock: Callable[[], datetime]) -> None:
        self._auth = auth
        self._clock = clock

    async def sign(self, method: str, url: str, content_type: str, body: bytes | None) -> Mapping[str, str]:
        """See `Signer.sign`. Form fields are signed like the query (RFC 5849 3.4.1.3.1), other bodies are not."""
        form = parse_qsl((body or b"").decode(), keep_blank_values=True) if content_type.startswith(FORM) else []
        stamp = str(int(self._clock().timestamp()))
        return oauth1_headers(self._auth, method, url, form, nonce=secrets.token_hex(16), timestamp=stamp)

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """See `Signer.renew`."""
        return False


def oauth1_headers(
    auth: OAuth1, method: str, url: str, form: Iterable[tuple[str, str]], *, nonce: str, timestamp: str
) -> dict[str, str]:
    """The Authorization header of one request. Pure."""
    protocol = [
        ("oauth_consumer_key", auth.consumer_key),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", timestamp),
        ("oauth_token", auth.token),
        ("oauth_version", "1.0"),
    ]
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    text = construct_base_string(method, url, [*query, *form, *protocol])
    key = f"{escape(auth.consumer_secret)}&{escape(auth.token_secret)}"
    digest = hmac.digest(key.encode(), text.encode(), hashlib.sha256)
    signature = base64.b64encode(digest).decode()
    headers = prepare_headers([*protocol, ("oauth_signature", signature)])
    return {"authorization": headers["Authorization"]}


class TokenSigner:
    """A bearer token by one of the grants, fetched when missing, near its end or refused."""

    def __init__(
        self, grant: Grant, placed: Mapping[str, str], tokens: TokenStore, post: Post, clock: Callable[[], datetime]
    ) -> None:
        self._grant = grant
        self._placed = placed
        self._tokens = tokens
        self._post = post
        self._clock = clock
        self._token: Token | None = None
        self._renewing = asyncio.Lock()

    async def sign(self, method: str, url: str, content_type: str, body: bytes | None) -> Mapping[str, str]:
        """See `Signer.sign`."""
        if self._token is None or not self._usable(self._token, None):
            await self._renew(None)
        assert self._token is not None
        return self._headers(self._token)

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """See `Signer.renew`. Requests that were refused together renew once."""
        token = self._token
        if token is not None and self._headers(token) == refused:
            await self._renew(token.access_token)
        return True

    def _headers(self, token: Token) -> dict[str, str]:
        return {name: value.replace(PLACE, token.access_token) for name, value in self._placed.items()}

    def _usable(self, token: Token, refused: str | None) -> bool:
        if token.access_token == refused:
            return False
        return token.expires_at is None or token.expires_at - LEEWAY > self._clock()

    async def _renew(self, refused: str | None) -> None:
        async with self._renewing:
            if self._token is not None and self._usable(self._token, refused):
                return
            stored = await self._tokens.load()
            if stored is None or not self._usable(stored, refused):
                stored = await self._fetch(refused) if await self._tokens.claim() else await self._others(refused)
            self._token = stored

    async def _fetch(self, refused: str | None) -> Token:
        # Read again under the lease: whoever had it before may have just saved a new pair.
        stored = await self._tokens.load()
        if stored is not None and self._usable(stored, refused):
            await self._tokens.save(stored)
            return stored
        fresh = await exchange(self._grant, stored, self._post, self._clock)
        await self._tokens.save(fresh)
        return fresh

    async def _others(self, refused: str | None) -> Token:
        waited = 0.0
        while waited < OTHERS_PATIENCE_SECONDS:
            await asyncio.sleep(0.1)
            waited += 0.1
            stored = await self._tokens.load()
            if stored is not None and self._usable(stored, refused):
                return stored
        raise Interrupted(RetryLater(reason="another process is renewing the access token"))


async def exchange(grant: Grant, stored: Token | None, post: Post, clock: Callable[[], datetime]) -> Token:
    """Get a fresh token by a grant.

    Raises `Interrupted`: Unauthorised when the vendor says the credentials are no good, RetryLater for anything that
    may pass. A lost reply of a rotating grant is RetryLater too: vendors let the old pair work once more.
    """
    if isinstance(grant, PasswordToken):
        login = msgspec.json.encode({"username": grant.username, "password": grant.password})
        return _read_token(await post(grant.token_url, {"content-type": "application/json"}, login), None, clock())
    previous = None
    if isinstance(grant, RefreshToken):
        previous = (stored and stored.refresh_token) or grant.refresh_token
        if not previous:
            step = "nobody has signed in at the vendor yet: GET /api/v1/connections/{id}/oauth/start"
            raise Interrupted(Unauthorised(reason=step))
        if grant.json:
            asked = {"client_id": grant.client_id, "client_secret": grant.client_secret, "refresh_token": previous}
            whole = msgspec.json.encode({**asked, "grant_type": "refresh_token"})
            answer = await post(grant.token_url, {"content-type": "application/json"}, whole)
            return _read_token(answer, previous, clock())
        body = prepare_token_request("refresh_token", refresh_token=previous)
    else:
        body = prepare_token_request("client_credentials", scope=grant.scope)
    # RFC 6749 2.3.1: every server takes Basic. Not so: some read the client's name and secret in the body only.
    answer = await post(*_by_client(grant, "client_secret_basic", body))
    if answer.status in (400, 401) and b"invalid_grant" not in answer.body:
        answer = await post(*_by_client(grant, "client_secret_post", body))
    return _read_token(answer, previous, clock())


def _by_client(grant: ClientCredentials | RefreshToken, method: str, body: str) -> tuple[str, Mapping[str, str], bytes]:
    client = ClientAuth(grant.client_id, grant.client_secret, method)
    bare = {"Content-Type": FORM, "Accept": "application/json"}
    url, headers, signed = client.prepare("POST", grant.token_url, bare, body)
    return url, headers, signed.encode()


class _Answer(msgspec.Struct):
    """RFC 6749 5.1 and 5.2; `expires_in` is a string at some vendors, and a time of day, `expires_at`, at others."""

    access_token: str | None = None
    expires_in: int | float | str | None = None
    expires_at: object = None
    refresh_token: str | None = None
    error: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def granted_token(answer: Response, now: datetime) -> Token:
    """The token that a sign-in brought. Raises `Interrupted` like `exchange`."""
    return _read_token(answer, None, now)


def _read_token(answer: Response, previous: str | None, now: datetime) -> Token:
    """Read a token endpoint's answer; only its `error` word goes into a reason, since descriptions repeat input."""
    if answer.status >= 500 or answer.status == 429:
        reason = f"the token endpoint answered {answer.status}"
        raise Interrupted(RetryLater(reason=reason, at=retry_after(answer, now)))
    try:
        said = _answer.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        said = _Answer()
    if said.error == "temporarily_unavailable":
        raise Interrupted(RetryLater(reason="the token endpoint is temporarily unavailable"))
    if answer.status >= 400 or said.error:
        word = said.error or "no reason given"
        raise Interrupted(Unauthorised(reason=f"the token endpoint refused the credentials: {answer.status} {word}"))
    if not said.access_token:
        raise Interrupted(RetryLater(reason=f"the token endpoint answered {answer.status} without a token"))
    try:
        expires_at = None if said.expires_in is None else now + timedelta(seconds=float(said.expires_in))
        if isinstance(said.expires_at, str):
            until = datetime.fromisoformat(said.expires_at)
            expires_at = until if until.tzinfo else expires_at
    except (ValueError, OverflowError):
        expires_at = None
    return Token(access_token=said.access_token, expires_at=expires_at, refresh_token=said.refresh_token or previous)
