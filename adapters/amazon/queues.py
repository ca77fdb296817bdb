"""The queue that Amazon's notifications arrive in: a port, and SQS behind it."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

from adapters.amazon.answers import read
from adapters.amazon.settings import Settings
from hub.sdk.capabilities import Context
from hub.sdk.wire import Request

MOST: Final = 10
"""Messages a call: SQS gives no more."""
HIDDEN_SECONDS: Final = 120
"""How long a received message stays invisible to others; not deleted by then, it comes again."""


class QueuedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message, and the handle under which it is deleted."""

    body: bytes
    handle: str


class Queue(Protocol):
    """Where notifications wait. Each may come several times and in any order until it is deleted."""

    async def receive(self) -> Sequence[QueuedMessage]:
        """Some of the messages; none when the queue is empty, for now."""
        ...

    async def delete(self, messages: Sequence[QueuedMessage]) -> None:
        """Have messages not come again. One that cannot be deleted comes again, which is harmless."""
        ...


class _Message(msgspec.Struct):
    body: str = msgspec.field(name="Body")
    handle: str = msgspec.field(name="ReceiptHandle")


class _Received(msgspec.Struct):
    messages: tuple[_Message, ...] | None = msgspec.field(name="Messages", default=None)


class Sqs:
    """SQS by its JSON protocol, signed with the queue's own credentials, not Amazon selling's."""

    def __init__(self, context: Context[Settings], url: str) -> None:
        self._context = context
        self._url = url

    async def receive(self) -> Sequence[QueuedMessage]:
        """See `Queue.receive`. Raises `Interrupted` like any read."""
        wanted = {"QueueUrl": self._url, "MaxNumberOfMessages": MOST, "VisibilityTimeout": HIDDEN_SECONDS}
        request = self._request("ReceiveMessage", wanted)
        answer = read(
            await self._context.client.send(request), request, _Received, "notifications", self._context.now()
        )
        return [QueuedMessage(body=one.body.encode(), handle=one.handle) for one in answer.messages or ()]

    async def delete(self, messages: Sequence[QueuedMessage]) -> None:
        """See `Queue.delete`."""
        entries = [{"Id": str(number), "ReceiptHandle": one.handle} for number, one in enumerate(messages)]
        await self._context.client.send(
            self._request("DeleteMessageBatch", {"QueueUrl": self._url, "Entries": entries})
        )

    def _request(self, action: str, document: dict[str, object]) -> Request:
        settings = self._context.settings
        body = msgspec.json.encode(document)
        parts = urlsplit(self._url)
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"AmazonSQS.{action}",
            "x-amz-date": stamped(self._context.now()),
            "host": parts.netloc,
        }
        signed = signature(
            headers,
            body,
            key_id=settings.aws_access_key_id or "",
            secret=settings.aws_secret_access_key or "",
            region=settings.queue_region,
        )
        return Request(
            method="POST",
            path=f"{parts.scheme}://{parts.netloc}/",
            operation=f"sqs{action}",
            headers={**{name: value for name, value in headers.items() if name != "host"}, "authorization": signed},
            body=body,
            foreign=True,
        )


def signature(headers: dict[str, str], body: bytes, *, key_id: str, secret: str, region: str) -> str:
    """The Authorization header of AWS Signature Version 4 for a POST to "/" of SQS. All headers given are signed."""
    names = sorted(headers)
    listed = ";".join(names)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    canonical = f"POST\n/\n\n{lines}\n{listed}\n{hashlib.sha256(body).hexdigest()}"
    stamp = headers["x-amz-date"]
    scope = f"{stamp[:8]}/{region}/sqs/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    mac = hmac.digest(key, text.encode(), hashlib.sha256).hex()
    return f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={listed}, Signature={mac}"


def queue(context: Context[Settings]) -> Queue | None:
    """The connection's queue; None where notifications are pushed, or not used."""
    return Sqs(context, context.settings.queue_url) if context.settings.queue_url else None


def stamped(moment: datetime) -> str:
    """A moment as SigV4 writes it."""
    return moment.strftime("%Y%m%dT%H%M%SZ")
