import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
import respx

from hub.sdk.breaker import FIRST_PAUSE, THRESHOLD, Breaker
from hub.sdk.http import HttpClient
from hub.sdk.leased import LeaseLost
from hub.sdk.limits import LocalBuckets
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import Basic, RateLimit, RateReading, Request, Response, Transport

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
ACME = Transport(base_url="https://api.acme.example/v1/", headers={"X-Version": "7"})
READ = Request(method="GET", path="/orders", operation="orders")
WRITE = Request(method="POST", path="/orders", operation="orders.create", body=b"{}", write=True)
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Answer = httpx.Response | BaseException


class Vendor(httpx.MockTransport):
    """Answers from a list, the last one again and again; keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        super().__init__(self._reply)

    def _reply(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def client(vendor: Vendor, transport: Transport = ACME, **more: object) -> HttpClient:
    return HttpClient(transport, **{"clock": lambda: NOW, "http": vendor, "tls": TLS, **more})  # type: ignore[arg-type]


async def interrupted(vendor: Vendor, request: Request, transport: Transport = ACME) -> object:
    async with client(vendor, transport) as acme:
        with pytest.raises(Interrupted) as caught:
            await acme.send(request)
    return caught.value.outcome


class TestRequest:
    async def test_path_is_joined_to_the_base_url_and_query_merged(self) -> None:
        vendor = Vendor(httpx.Response(200))
        async with client(vendor) as acme:
            await acme.send(msgspec.structs.replace(READ, path="/orders?page=2", query={"filter[a]": "x y"}))
        assert str(vendor.requests[0].url) == "https://api.acme.example/v1/orders?page=2&filter%5Ba%5D=x+y"

    async def test_whole_url_of_the_same_host_is_taken_as_it_is(self) -> None:
        vendor = Vendor(httpx.Response(200))
        async with client(vendor) as acme:
            await acme.send(msgspec.structs.replace(READ, path="https://api.acme.example/next?cursor=abc"))
        assert str(vendor.requests[0].url) == "https://api.acme.example/next?cursor=abc"

    @pytest.mark.parametrize(
        "path",
        ["https://evil.example/orders", "http://api.acme.example/orders", "https://api.acme.example:444/orders",
         "https://api.acme.example.evil.example/", "https://api.acme.example@evil.example/"],
    )  # fmt: skip
    async def test_another_host_never_gets_our_credentials(self, path: str) -> None:
        vendor = Vendor(httpx.Response(200))
        outcome = await interrupted(vendor, msgspec.structs.replace(READ, path=path))
        assert isinstance(outcome, NeedsPerson)
        assert vendor.requests == []

    async def test_headers_of_the_request_win_over_the_transports_whatever_their_case(self) -> None:
        vendor = Vendor(httpx.Response(200))
        async with client(vendor) as acme:
            await acme.send(msgspec.structs.replace(READ, headers={"x-version": "8"}))
        assert vendor.requests[0].headers.get_list("x-version") == ["8"]
        assert vendor.requests[0].headers["user-agent"] == "Crossdock"

    async def test_header_that_cannot_be_sent_needs_a_person_and_is_not_quoted(self) -> None:
        transport = msgspec.structs.replace(ACME, headers={"x-token": "geheim-ü-€"})
        outcome = await interrupted(Vendor(httpx.Response(200)), READ, transport)
        assert isinstance(outcome, NeedsPerson)
        assert "geheim" not in repr(outcome)

    async def test_vendors_cookies_are_not_sent_back(self) -> None:
        vendor = Vendor(httpx.Response(200, headers={"set-cookie": "session=abc; Path=/"}))
        async with client(vendor) as acme:
            await acme.send(READ)
            await acme.send(READ)
        assert "cookie" not in vendor.requests[1].headers

    async def test_respx_sees_the_same_request(self) -> None:
        with respx.mock:
            route = respx.post("https://api.acme.example/v1/orders").respond(201, json={"id": 7})
            async with HttpClient(ACME, clock=lambda: NOW, tls=TLS) as acme:
                answer = await acme.send(WRITE)
        assert answer == Response(status=201, headers=dict(answer.headers), body=b'{"id":7}')
        assert route.calls.last.request.content == b"{}"


class TestAnswer:
    @pytest.mark.parametrize("status", [200, 204, 302, 404, 422, 429, 500, 503])
    async def test_every_answer_but_401_is_returned_for_the_adapters_table(self, status: int) -> None:
        vendor = Vendor(httpx.Response(status, headers={"Location": "https://evil.example/", "X-Told": "1"}))
        async with client(vendor) as acme:
            answer = await acme.send(WRITE)
        assert (answer.status, answer.headers["x-told"]) == (status, "1")
        assert len(vendor.requests) == 1

    async def test_401_with_a_static_secret_is_not_tried_again(self) -> None:
        vendor = Vendor(httpx.Response(401))
        transport = msgspec.structs.replace(ACME, auth=Basic(username="u", password="p"))
        outcome = await interrupted(vendor, WRITE, transport)
        assert isinstance(outcome, Unauthorised)
        assert [request.headers["authorization"] for request in vendor.requests] == ["Basic dTpw"]

    @pytest.mark.parametrize(
        "fault",
        [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full"),
         AttributeError("reset while it was made", name="getpeername")],
    )  # fmt: skip
    @pytest.mark.parametrize("request_", [READ, WRITE])
    async def test_nothing_sent_means_again_later(self, fault: Exception, request_: Request) -> None:
        assert isinstance(await interrupted(Vendor(fault), request_), RetryLater)

    @pytest.mark.parametrize(
        "fault",
        [httpx.ReadTimeout("slow"), httpx.WriteTimeout("slow"), httpx.ReadError("reset"), httpx.WriteError("reset"),
         httpx.RemoteProtocolError("half"), httpx.DecodingError("not gzip")],
    )  # fmt: skip
    async def test_lost_reply_is_uncertain_for_a_write_and_again_later_for_a_read(self, fault: Exception) -> None:
        assert isinstance(await interrupted(Vendor(fault), WRITE), Uncertain)
        assert isinstance(await interrupted(Vendor(fault), READ), RetryLater)


class TestLimits:
    LIMIT = RateLimit(scope="account", key="acme", capacity=2, per_second=10)

    def limited(self, **changes: object) -> Transport:
        return msgspec.structs.replace(ACME, limits=(self.LIMIT,), **changes)

    async def test_short_wait_is_waited_and_a_long_one_is_put_off_with_a_time(self) -> None:
        slow = RateLimit(scope="account", key="acme", capacity=1, per_second=0.1)
        vendor = Vendor(httpx.Response(200))
        async with client(vendor, msgspec.structs.replace(ACME, limits=(slow,))) as acme:
            await acme.send(READ)
            with pytest.raises(Interrupted) as caught:
                await acme.send(WRITE)
        assert isinstance(caught.value.outcome, RetryLater)
        assert caught.value.outcome.at == NOW + timedelta(seconds=10)
        assert len(vendor.requests) == 1

    async def test_waits_for_tokens_that_come_soon(self) -> None:
        vendor = Vendor(httpx.Response(200))
        started = asyncio.get_running_loop().time()
        async with client(vendor, self.limited()) as acme:
            await asyncio.gather(*(acme.send(READ) for _ in range(4)))
        assert asyncio.get_running_loop().time() - started >= 0.19
        assert len(vendor.requests) == 4

    async def test_limit_of_other_operations_does_not_count(self) -> None:
        other = RateLimit(scope="operation", key="x", capacity=1, per_second=0.01, operations=("orders.create",))
        async with client(Vendor(httpx.Response(200)), msgspec.structs.replace(ACME, limits=(other,))) as acme:
            await acme.send(READ)
            await acme.send(READ)
            await acme.send(WRITE)
            with pytest.raises(Interrupted, match="rate limit"):
                await acme.send(WRITE)

    async def test_429_with_retry_after_closes_the_bucket_for_all_who_share_it(self) -> None:
        buckets = LocalBuckets()
        vendor = Vendor(httpx.Response(429, headers={"retry-after": "60"}))
        async with client(vendor, self.limited(), buckets=buckets) as acme:
            assert (await acme.send(READ)).status == 429
        async with client(vendor, self.limited(), buckets=buckets) as other:
            with pytest.raises(Interrupted) as caught:
                await other.send(READ)
        assert isinstance(caught.value.outcome, RetryLater)
        assert caught.value.outcome.at == NOW + timedelta(seconds=60)

    async def test_vendors_own_words_about_its_limits_are_read(self) -> None:
        def read_rates(response: Response, now: datetime) -> tuple[RateReading, ...]:
            return (RateReading(scope="account", remaining=float(response.headers["x-left"]), per_second=0.1),)

        vendor = Vendor(httpx.Response(200, headers={"x-left": "0"}))
        async with client(vendor, self.limited(read_rates=read_rates)) as acme:
            await acme.send(READ)
            with pytest.raises(Interrupted, match="rate limit"):
                await acme.send(READ)


class TestBreaker:
    @pytest.mark.parametrize("answer", [httpx.Response(503), httpx.ConnectError("down"), httpx.ReadTimeout("slow")])
    async def test_vendor_that_is_down_is_given_a_pause(self, answer: Answer) -> None:
        vendor, breaker = Vendor(answer), Breaker()
        async with client(vendor, breaker=breaker) as acme:
            for _ in range(THRESHOLD):
                await asyncio.gather(acme.send(READ), return_exceptions=True)
            with pytest.raises(Interrupted) as caught:
                await acme.send(WRITE)
        assert isinstance(caught.value.outcome, RetryLater)
        assert caught.value.outcome.at == NOW + FIRST_PAUSE
        assert len(vendor.requests) == THRESHOLD

    @pytest.mark.parametrize("end", [LeaseLost("1"), RuntimeError("ours"), asyncio.CancelledError()])
    async def test_a_probe_that_ends_in_another_way_is_followed_by_the_next(self, end: BaseException) -> None:
        now = [NOW]
        vendor = Vendor(*[httpx.Response(503)] * THRESHOLD, end, httpx.Response(200))
        async with client(vendor, clock=lambda: now[0]) as acme:
            for _ in range(THRESHOLD):
                await acme.send(READ)
            now[0] += FIRST_PAUSE
            with pytest.raises((Interrupted, RuntimeError, asyncio.CancelledError)):
                await acme.send(READ)
            assert (await acme.send(READ)).status == 200

    async def test_4xx_is_an_answer(self) -> None:
        breaker = Breaker(threshold=1)
        async with client(Vendor(httpx.Response(422)), breaker=breaker) as acme:
            await acme.send(READ)
        assert breaker.admit(NOW) is None


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[HttpClient]:
    """A socket that speaks as badly as it likes, and a client to it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await handler(reader, writer)
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with (
        listening,
        HttpClient(Transport(base_url=f"http://127.0.0.1:{port}"), clock=lambda: NOW, tls=TLS) as acme,
    ):
        yield acme


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pass


async def half_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n\r\n{")
    await writer.drain()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SMTP ready\r\n\r\n")
    await writer.drain()


async def false_gzip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd")
    await writer.drain()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


class TestBrokenReplies:
    @pytest.mark.parametrize("handler", [hang_up, half_an_answer, nonsense, false_gzip])
    async def test_write_is_uncertain(self, handler: Handler) -> None:
        async with server(handler) as acme:
            with pytest.raises(Interrupted) as caught:
                await acme.send(WRITE)
        assert isinstance(caught.value.outcome, Uncertain)

    async def test_deadline_is_for_the_whole_call_not_for_each_read(self) -> None:
        started = asyncio.get_running_loop().time()
        async with server(drip) as acme:
            with pytest.raises(Interrupted) as caught:
                await acme.send(msgspec.structs.replace(WRITE, deadline_seconds=0.2))
        assert isinstance(caught.value.outcome, Uncertain)
        assert asyncio.get_running_loop().time() - started < 1

    async def test_nobody_listening_means_again_later_even_for_a_write(self) -> None:
        async with server(hang_up) as acme:
            pass
        transport = Transport(base_url="http://127.0.0.1:1")
        async with HttpClient(transport, clock=lambda: NOW, tls=TLS) as acme:
            with pytest.raises(Interrupted) as caught:
                await acme.send(WRITE)
        assert isinstance(caught.value.outcome, RetryLater)

    async def test_cancelling_is_passed_on(self) -> None:
        async with server(drip) as acme:
            sending = asyncio.create_task(acme.send(WRITE))
            await asyncio.sleep(0.05)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
