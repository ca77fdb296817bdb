"""Feeds as jobs: put a document, start the job, wait for its end, read the result document."""

import asyncio
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from adapters.amazon import answers
from adapters.amazon.client import Seller, request
from adapters.amazon.schemas import Created, Feed, Feeds, Place
from adapters.amazon.settings import trusted
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater
from hub.sdk.wire import Request

FEEDS: Final = "/feeds/2021-06-30"
JSON: Final = "application/json; charset=UTF-8"
XML: Final = "text/xml; charset=UTF-8"

WAITS_SECONDS: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Looks at a job within one call. Most take minutes: the rest is left to the next try."""
RUNNING: Final = frozenset({"IN_QUEUE", "IN_PROGRESS"})
LARGEST_RESULT: Final = 32 * 1024 * 1024


async def start(context: Seller, kind: str, content_type: str, document: bytes) -> str:
    """Start a job; answers its feed id. Only the last of its three requests does anything: the others may be repeated.

    Raises `Interrupted`, Uncertain when the job may have started.
    """
    place = await _place(context, content_type)
    await _put(context, place.url, content_type, document)
    wanted = request(
        "POST",
        f"{FEEDS}/feeds",
        "createFeed",
        document={
            "feedType": kind,
            "marketplaceIds": list(context.settings.marketplace_ids),
            "inputFeedDocumentId": place.feed_document_id,
        },
        write=True,
    )
    response = await context.client.send(wanted)
    return answers.read(response, wanted, Created, kind, context.now()).feed_id


async def _place(context: Seller, content_type: str) -> Place:
    wanted = request("POST", f"{FEEDS}/documents", "createFeedDocument", document={"contentType": content_type})
    response = await context.client.send(wanted)
    return answers.read(response, wanted, Place, "feed document", context.now())


async def _put(context: Seller, url: str, content_type: str, document: bytes) -> None:
    # The content type is part of what the URL was signed for: another one is refused.
    wanted = Request(
        method="PUT",
        path=_checked(context, url),
        operation="putFeedDocument",
        headers={"content-type": content_type},
        body=document,
        foreign=True,
    )
    response = await context.client.send(wanted)
    if response.status not in (200, 201, 204):
        reason = f"feed document: the storage answered {response.status}"
        raise Interrupted(RetryLater(reason=reason))


async def finished(context: Seller, feed: str) -> Feed:
    """The job as it is after a few looks; it may still be running."""
    wanted = request("GET", f"{FEEDS}/feeds/{quote(feed, safe='')}", "getFeed")
    for wait in WAITS_SECONDS:
        await asyncio.sleep(wait)
        response = await context.client.send(wanted)
        found = answers.read(response, wanted, Feed, f"feed {feed}", context.now())
        if found.processing_status not in RUNNING:
            return found
    return found


async def running(context: Seller, kind: str) -> str | None:
    """A job of a kind that has not ended; None when all have."""
    jobs = await _listed(context, {"feedTypes": kind, "processingStatuses": ",".join(sorted(RUNNING))}, kind)
    return next((job.feed_id for job in jobs), None)


async def since(context: Seller, kind: str, moment: datetime) -> tuple[Feed, ...]:
    """The newest jobs of a kind that were started since a moment, whoever started them."""
    query = {"feedTypes": kind, "createdSince": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    return await _listed(context, query, kind)


async def _listed(context: Seller, query: Mapping[str, str], kind: str) -> tuple[Feed, ...]:
    wanted = request("GET", f"{FEEDS}/feeds", "getFeeds", query={**query, "pageSize": "100"})
    return answers.read(await context.client.send(wanted), wanted, Feeds, kind, context.now()).feeds


async def result(context: Seller, feed: Feed) -> bytes:
    """The result document of a job that ended, unpacked. Raises `Interrupted` when there is none to read."""
    if feed.processing_status != "DONE" or feed.result_feed_document_id is None:
        reason = f"feed {feed.feed_id} ended {feed.processing_status}" + (
            "" if feed.result_feed_document_id else " without a result"
        )
        step = "read the feed's report in Seller Central, mend what it names, then retry"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step))
    document = quote(feed.result_feed_document_id, safe="")
    wanted = request("GET", f"{FEEDS}/documents/{document}", "getFeedDocument")
    place = answers.read(await context.client.send(wanted), wanted, Place, f"feed {feed.feed_id}", context.now())
    download = Request(method="GET", path=_checked(context, place.url), operation="getResultDocument", foreign=True)
    response = await context.client.send(download)
    if response.status != 200:
        raise Interrupted(RetryLater(reason=f"feed {feed.feed_id}: the storage answered {response.status}"))
    try:
        return unpacked(response.body, place.compression_algorithm)
    except (OSError, EOFError, zlib.error, ValueError):
        raise Interrupted(RetryLater(reason=f"feed {feed.feed_id}: the result document is cut off")) from None


def unpacked(body: bytes, algorithm: str | None) -> bytes:
    """A document without its compression. Raises OSError, EOFError, zlib.error or ValueError when it cannot be."""
    if algorithm is None:
        return body
    if algorithm != "GZIP":
        raise ValueError(f"{algorithm} is not GZIP")
    inflated = zlib.decompressobj(16 + zlib.MAX_WBITS)
    document = inflated.decompress(body, LARGEST_RESULT)
    if not inflated.eof:
        raise EOFError("cut off, or too large")
    return document


def _checked(context: Seller, url: str) -> str:
    if not trusted(url, context.settings):
        reason = "a feed document's address is not in Amazon's storage; nothing is sent there"
        raise Interrupted(NeedsPerson(reason=reason, next_step="check the connection's base_url"))
    return url
