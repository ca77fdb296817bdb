"""What travels between an adapter and a vendor, and the terms on which: plain values, no transport inside."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `path` is joined to the transport's base URL, or is a whole URL of the same host."""

    method: str
    path: str
    operation: str
    """Name for rate limits, logs and attempts: "fulfillmentCreate", "GET /order"."""
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    write: bool = False
    """Whether repeating it could do something twice. A lost reply to a write is Uncertain, to a read RetryLater."""
    cost: float = 1.0
    """Tokens taken from the rate buckets."""
    deadline_seconds: float = 20.0
    """Total time for the call, reply included."""
    foreign: bool = False
    """The request proves itself (a presigned URL, a signature of its own) and may go to another host over https:
    neither the transport's headers nor its credentials go with it. The adapter says which hosts it trusts."""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A token bucket shared by all workers, keyed by what the vendor counts."""

    scope: str
    """app, account or operation."""
    key: str
    """Whose bucket: the account's name, the app's id, an operation."""
    capacity: float
    per_second: float
    operations: tuple[str, ...] = ()
    """Operations it counts; empty means all."""


class RateReading(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer said about a bucket; None where it said nothing."""

    scope: str
    remaining: float | None = None
    per_second: float | None = None
    capacity: float | None = None
    not_before: datetime | None = None
    """The vendor asked us to wait until then."""


class _Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Prints its kind only: what it holds are secrets."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


class NoAuth(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Static headers only."""


class Basic(_Sealed, frozen=True, kw_only=True, tag=True):
    """HTTP Basic."""

    username: str
    password: str


class ClientCredentials(_Sealed, frozen=True, kw_only=True, tag=True):
    """OAuth 2 client credentials; the token is cached, encrypted, with the connection."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None = None


class RefreshToken(_Sealed, frozen=True, kw_only=True, tag=True):
    """OAuth 2 refresh grant. A rotated pair is committed before its first use."""

    token_url: str
    client_id: str
    client_secret: str
    refresh_token: str
    json: bool = False
    """The token endpoint takes a JSON object with the client's name and secret in it, not a form."""


class PasswordToken(_Sealed, frozen=True, kw_only=True, tag=True):
    """A vendor's own log-in that answers a bearer token: JSON {username, password} -> {access_token, expires_in}."""

    token_url: str
    username: str
    password: str


class OAuth1(_Sealed, frozen=True, kw_only=True, tag=True):
    """OAuth 1.0a with HMAC-SHA256."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str


class Ssh(_Sealed, frozen=True, kw_only=True, tag=True):
    """A log-in to a file server; the transport's `base_url` is `sftp://host:port`, and `Context.files` is there."""

    username: str
    host_keys: tuple[str, ...]
    """What the server must show: `SHA256:...` fingerprints, or public keys as `ssh-ed25519 AAAA...`.
    Empty: a closed door."""
    password: str | None = None
    private_key: str | None = None
    """PEM or OpenSSH text."""
    passphrase: str | None = None
    """Of the private key."""


Auth = NoAuth | Basic | ClientCredentials | RefreshToken | PasswordToken | OAuth1 | Ssh


class Transport(_Sealed, frozen=True, kw_only=True):
    """How an adapter reaches its vendor."""

    base_url: str
    headers: Mapping[str, str] = {}
    auth: Auth = NoAuth()
    limits: tuple[RateLimit, ...] = ()
    read_rates: Callable[[Response, datetime], tuple[RateReading, ...]] | None = None
    """Reads the vendor's own words about its limits from an answer."""


class Client(Protocol):
    """Sends requests under the transport's limits, time-outs, breaker and authorisation.

    Raises `outcomes.Interrupted`: RetryLater when nothing was sent (unreachable, throttled, breaker open) or a read was
    lost, Uncertain when a write's reply was lost, Unauthorised on 401 after a refreshed token. Every other answer,
    4xx and 5xx included, is returned: the adapter's table says what it means.
    """

    async def send(self, request: Request) -> Response:
        """Send one request."""
        ...
