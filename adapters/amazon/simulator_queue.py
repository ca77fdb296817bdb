"""The simulated queue: SQS by its JSON protocol, for whoever signs with the right key."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from adapters.amazon.queues import signature
from adapters.amazon.simulator_books import Books

SIGNED: Final = ("content-type", "x-amz-target", "x-amz-date", "host")


def serve(
    books: Books, credentials: tuple[str, str], headers: Mapping[str, str], body: bytes, now: datetime
) -> tuple[int, object]:
    """Status and document of a call: ReceiveMessage or DeleteMessageBatch."""
    key_id, secret = credentials
    given = headers["authorization"]
    region = (given.split("/")[2:3] or ["?"])[0]
    signed = {name: headers[name] for name in SIGNED}
    if not secret or given != signature(signed, body, key_id=key_id, secret=secret, region=region):
        return 403, {"__type": "com.amazon.coral.service#InvalidSignatureException"}
    document: dict[str, Any] = msgspec.json.decode(body)
    if headers["x-amz-target"] == "AmazonSQS.DeleteMessageBatch":
        books.delete({entry["ReceiptHandle"] for entry in document["Entries"]})
        return 200, {"Successful": [{"Id": entry["Id"]} for entry in document["Entries"]]}
    hidden = timedelta(seconds=document["VisibilityTimeout"])
    found = books.receive(document["MaxNumberOfMessages"], now, hidden)
    messages = [{"MessageId": one.handle, "ReceiptHandle": one.handle, "Body": one.body} for one in found]
    return 200, {"Messages": messages} if messages else {}
