"""The client behind `wire.Client`: limits, breaker, authorisation and deadlines around httpx, and nothing else."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Final, Self

import httpx

from hub.sdk.auth import MemoryTokenStore, TokenStore, signer
from hub.sdk.breaker import LONGEST_PAUSE, Breaker
from hub.sdk.leased import LeaseLost, before_a_byte
from hub.sdk.limits import PATIENCE_SECONDS, Buckets, LocalBuckets, counts, retry_after
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.public_address import Resolve
from hub.sdk.wire import RateReading, Request, Response, Transport

TOKEN_DEADLINE_SECONDS: Final = 6.0
"""Shorter than the lease under which one process renews for all."""

# Both print URLs, and with them the secrets that some vendors want in the query.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_SENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError)


@cache
def _trusted() -> ssl.SSLContext:
    """One for all clients of a process: each takes 30 ms to make."""
    return ssl.create_default_context()


class HttpClient:
    """Reaches one vendor for one connection. See `wire.Client` for what `send` raises.

    `buckets` are shared by whoever shares the limits; without them the client keeps its own. `tls` is whom it trusts,
    without it what this machine does. `longest_pause` is what a vendor that is down is given at most. `http` replaces
    the network in tests. `resolve` says which address a host is reached at, or refuses it. Use it as `async with`, or
    call `aclose`.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Callable[[], datetime],
        buckets: Buckets | None = None,
        tokens: TokenStore | None = None,
        breaker: Breaker | None = None,
        longest_pause: timedelta = LONGEST_PAUSE,
        http: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._transport = transport
        self._resolve = resolve
        self._base = httpx.URL(transport.base_url)
        self._clock = clock
        self._buckets = buckets or LocalBuckets()
        self._breaker = breaker or Breaker(longest=longest_pause)
        # The token's issuer may be another host, and be down alone.
        self._issuer = Breaker(longest=longest_pause)
        self._signer = signer(transport, tokens=tokens or MemoryTokenStore(), post=self._post_for_token, clock=clock)
        self._http = httpx.AsyncClient(
            transport=http,
            verify=_trusted() if tls is None else tls,
            follow_redirects=False,
            # A vendor's session cookie must not come to stand for our authorisation.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            # Common servers close an idle connection after 5 s; a request that races with that is a lost reply.
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=4.0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close idle connections. The client cannot be used afterwards."""
        await self._http.aclose()

    async def send(self, request: Request) -> Response:
        """See `wire.Client.send`. Redirects are not followed but returned, 429 and 5xx too."""
        url = self._url(request)
        if request.foreign:
            return await self._attempt(request, url, {})
        headers = await self._signed(request, url)
        response = await self._attempt(request, url, headers)
        # A request that was not let in did nothing, so even a write is repeated.
        if response.status == 401 and await self._signer.renew(headers):
            response = await self._attempt(request, url, await self._signed(request, url))
        if response.status == 401:
            raise Interrupted(Unauthorised(reason=f"{request.operation}: the vendor refused the credentials (401)"))
        return response

    def _url(self, request: Request) -> httpx.URL:
        try:
            if "://" in request.path:
                url = httpx.URL(request.path)
            else:
                url = httpx.URL(f"{str(self._base).rstrip('/')}/{request.path.lstrip('/')}")
        except httpx.InvalidURL as error:
            raise self._unsendable(request, error) from None
        at_home = (url.scheme, url.host, url.port) == (self._base.scheme, self._base.host, self._base.port)
        if not at_home and not (request.foreign and url.scheme == "https"):
            reason = (
                f"{request.operation}: the address is on {url.host}, not on {self._base.host}; credentials stay here"
            )
            raise Interrupted(NeedsPerson(reason=reason, next_step="check the connection's base_url"))
        return url.copy_merge_params(dict(request.query)) if request.query else url

    async def _signed(self, request: Request, url: httpx.URL) -> Mapping[str, str]:
        given = [*self._transport.headers.items(), *request.headers.items()]
        content_type = {name.lower(): value for name, value in given}.get("content-type", "")
        return await self._signer.sign(request.method, str(url), content_type, request.body)

    async def _attempt(self, request: Request, url: httpx.URL, signed: Mapping[str, str]) -> Response:
        await self._wait_for_tokens(request)
        own = {} if request.foreign else self._transport.headers
        response = await self._guarded(self._breaker, request, url, own, request.headers, signed)
        await self._read_rates(request, response)
        return response

    async def _guarded(
        self, breaker: Breaker, request: Request, url: httpx.URL, *headers: Mapping[str, str]
    ) -> Response:
        """Send if the breaker lets it, last of all: it may be the probe of a half-open circuit, and must report."""
        open_until = breaker.admit(self._clock())
        if open_until is not None:
            reason = f"{request.operation}: the vendor failed repeatedly and is given a pause"
            raise Interrupted(RetryLater(reason=reason, at=open_until))
        try:
            response = await self._exchange(breaker, request, url, *headers)
        except BaseException:
            # Not sent, cut off from outside, or our own mistake: whatever ends a probe, the next must not wait for it.
            breaker.unheard(self._clock())
            raise
        if response.status >= 500:
            breaker.failed(self._clock())
        else:
            breaker.succeeded()
        return response

    async def _wait_for_tokens(self, request: Request) -> None:
        now, wait = self._clock(), 0.0
        for limit in self._transport.limits:
            if counts(limit, request.operation):
                wait = max(wait, await self._buckets.take(limit, request.cost, now))
                if wait > PATIENCE_SECONDS:
                    # What earlier limits gave is spent: rather too slow than too fast.
                    reason = f"{request.operation}: the {limit.scope} rate limit of {limit.key} is used up"
                    raise Interrupted(RetryLater(reason=reason, at=now + timedelta(seconds=wait)))
        if wait > 0:
            await asyncio.sleep(wait)

    async def _exchange(
        self, breaker: Breaker, request: Request, url: httpx.URL, *headers: Mapping[str, str]
    ) -> Response:
        """Send and read the whole answer within the deadline, or say what that leaves us with."""
        deadline = request.deadline_seconds
        # Waiting for a connection ends well before the deadline does, so that what the deadline cuts off was sent.
        limits = httpx.Timeout(deadline, pool=deadline * 0.2, connect=deadline * 0.3)
        merged = httpx.Headers({"user-agent": "Crossdock"})
        extensions: dict[str, object] = {"trace": before_a_byte} if request.write else {}
        try:
            for more in headers:
                merged.update(more)
            async with asyncio.timeout(deadline):
                if self._resolve is not None:
                    # The name stays what the server and its certificate are asked for.
                    merged["host"] = url.netloc.decode()
                    extensions["sni_hostname"] = url.host
                    port = url.port or (443 if url.scheme == "https" else 80)
                    url = url.copy_with(host=await self._resolve(url.host, port))
                answer = await self._http.request(
                    request.method,
                    url,
                    headers=merged,
                    content=request.body,
                    timeout=limits,
                    extensions=extensions,
                )
        except LeaseLost as error:
            # Uncertain, though nothing was sent: an earlier write of the same effect may have been.
            reason = f"{request.operation}: its lease ran out before it was sent"
            raise Interrupted(Uncertain(reason=reason)) from error
        except _NOT_SENDABLE as error:
            raise self._unsendable(request, error) from None
        except _NOTHING_SENT as error:
            breaker.failed(self._clock())
            raise Interrupted(RetryLater(reason=f"{request.operation}: cannot reach {url.host}")) from error
        except AttributeError as error:
            # anyio, which asks a connection that was reset while it was made for its peer.
            if error.name != "getpeername":
                raise
            breaker.failed(self._clock())
            raise Interrupted(RetryLater(reason=f"{request.operation}: cannot reach {url.host}")) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise self._lost(breaker, request, f"no whole answer within {deadline:g} s") from error
        except httpx.RequestError as error:
            raise self._lost(breaker, request, f"the connection broke before the answer was whole ({error})") from error
        return Response(status=answer.status_code, headers=dict(answer.headers.items()), body=answer.content)

    async def _read_rates(self, request: Request, response: Response) -> None:
        limits = [limit for limit in self._transport.limits if counts(limit, request.operation)]
        if not limits:
            return
        now = self._clock()
        read = self._transport.read_rates
        readings = read(response, now) if read is not None else ()
        if response.status == 429 and not any(reading.not_before for reading in readings):
            at = retry_after(response, now)
            left = 0.0 if at is None else None
            readings = (*readings, *(RateReading(scope=each.scope, remaining=left, not_before=at) for each in limits))
        for limit in limits:
            for reading in readings:
                if reading.scope == limit.scope:
                    await self._buckets.feed(limit, reading, now)

    async def _post_for_token(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        request = Request(
            method="POST", path=url, operation="token", body=body, deadline_seconds=TOKEN_DEADLINE_SECONDS
        )
        return await self._guarded(self._issuer, request, httpx.URL(url), headers)

    def _lost(self, breaker: Breaker, request: Request, what: str) -> Interrupted:
        breaker.failed(self._clock())
        reason = f"{request.operation}: {what}"
        return Interrupted(Uncertain(reason=reason) if request.write else RetryLater(reason=reason))

    def _unsendable(self, request: Request, error: Exception) -> Interrupted:
        # The error's own text may quote a header or a query, and with it a secret.
        reason = f"{request.operation}: the request cannot be put on the wire ({type(error).__name__})"
        return Interrupted(NeedsPerson(reason=reason, next_step="check the connection's base_url and credentials"))
