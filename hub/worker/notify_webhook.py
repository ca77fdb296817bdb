"""Events by webhook: CloudEvents 1.0 in structured JSON, signed by Standard Webhooks 1.0."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from hub.domain.events import TellEvent
from hub.flow.ports import Claimed
from hub.sdk.http import HttpClient
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater
from hub.sdk.public_address import Resolve
from hub.sdk.webhook import standard_headers
from hub.sdk.wire import Request, Response, Transport
from hub.store.events import Subscriber, WebhookConfig

MEDIA_TYPE: Final = "application/cloudevents+json"
SECONDS: Final = 15.0
GONE: Final = 410


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """CloudEvents 1.0, structured mode."""

    specversion: str = "1.0"
    id: str
    """The same for every subscriber and every repeat."""
    source: str
    type: str
    subject: str
    """The order. Events of one order come in the order in which they happened."""
    time: datetime
    datacontenttype: str = "application/json"
    data: msgspec.Raw


def cloud_event(claimed: Claimed, event: TellEvent) -> bytes:
    """The body of a delivery; the same bytes at every repeat."""
    return msgspec.json.encode(
        CloudEvent(
            id=claimed.key,
            source=source_of(claimed.merchant),
            type=event.event,
            subject=event.order,
            time=event.at.astimezone(UTC),
            data=event.data,
        )
    )


def source_of(merchant: str) -> str:
    """The source of a merchant's events."""
    return f"urn:crossdock:{merchant}"


def signed_headers(id: str, body: bytes, at: datetime, secrets: Iterable[str | None]) -> dict[str, str]:
    """Signed by Standard Webhooks 1.0; see `standard_headers`."""
    return {"content-type": MEDIA_TYPE, **standard_headers(id, body, at, secrets)}


class Webhooks:
    """Posts to subscribers. One per process."""

    def __init__(self, clock: Callable[[], datetime], resolve: Resolve) -> None:
        self._clock = clock
        self._resolve = resolve
        self._open: dict[str, tuple[str, HttpClient]] = {}

    async def tell(self, subscriber: Subscriber, claimed: Claimed, event: TellEvent) -> Outcome:
        """See `Way.tell`. Every answer but 2xx is a failure, 410 is a farewell."""
        assert isinstance(subscriber.config, WebhookConfig)
        if subscriber.secrets.secret is None:
            return NeedsPerson(reason="it has no secret", next_step="Rotate the subscription's secret, then retry.")
        body = cloud_event(claimed, event)
        secrets = (subscriber.secrets.secret, subscriber.secrets.previous)
        client = await self._client(subscriber.id, subscriber.config.url)
        request = Request(
            method="POST",
            path=subscriber.config.url,
            operation="webhook",
            headers=signed_headers(claimed.key, body, self._clock(), secrets),
            body=body,
            write=True,
            deadline_seconds=SECONDS,
        )
        return read_answer(await client.send(request), self._clock())

    async def _client(self, id: str, url: str) -> HttpClient:
        kept = self._open.get(id)
        if kept is not None and kept[0] == url:
            return kept[1]
        made = HttpClient(Transport(base_url=url), clock=self._clock, resolve=self._resolve)
        self._open[id] = (url, made)
        if kept is not None:
            await kept[1].aclose()
        return made

    async def close(self) -> None:
        """Close every client."""
        for _, client in self._open.values():
            await client.aclose()
        self._open.clear()


def read_answer(response: Response, now: datetime) -> Outcome:
    """What a receiver's answer means. A redirect is a failure too: the signature was for this address."""
    if 200 <= response.status < 300:
        return Done()
    if response.status == GONE:
        return Refused(reason="the receiver says that it is gone (410)")
    return RetryLater(reason=f"the receiver answered {response.status}", at=retry_after(response, now))
