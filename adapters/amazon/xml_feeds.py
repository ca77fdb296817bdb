"""Feeds of XML: one message each, as a job whose report is read."""

from collections.abc import Sequence
from xml.etree import ElementTree

import msgspec

from adapters.amazon import feeds
from adapters.amazon.client import Seller
from adapters.amazon.schemas import Feed
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, RetryLater, Uncertain


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error of a processing report."""

    code: str
    description: str


class Undone(msgspec.Struct, frozen=True):
    """An earlier job surely did nothing, and whoever had to know was told: it may be started again."""


async def run(context: Seller, kind: str, document: bytes, subject: str, key: str) -> Outcome:
    """Start a job and wait for its end. Uncertain once it is started and its end is not known: `before` finds it."""
    feed = await feeds.start(context, kind, feeds.XML, document)
    if context.numbers is not None:
        await context.numbers.take(_jobs(key), feed)
    try:
        job = await feeds.finished(context, feed)
        if job.processing_status in feeds.RUNNING:
            return Uncertain(reason=f"{subject}: Amazon is still processing feed {feed}")
        return await _read(context, job, subject, key)
    except Interrupted as interruption:
        if not isinstance(interruption.outcome, RetryLater):
            raise
        # The job is started: a look at it that failed must not let it be started again without looking.
        reason = f"{subject}: feed {feed} was sent, its end is not known: {interruption.outcome.reason}"
        raise Interrupted(Uncertain(reason=reason)) from interruption


async def before(context: Seller, subject: str, key: str) -> Outcome | Undone | None:
    """What became of the last job that was started under this key; None where that is not known.

    Feeds take minutes, longer than a call, and Amazon keeps no reference of ours with them: the hub's counters do. A
    report that refuses is told once; whoever tries again then has mended what it names.
    """
    feed = await _last(context, key)
    if feed is None:
        return None
    job = await feeds.finished(context, feed)
    if job.processing_status in feeds.RUNNING:
        return Uncertain(reason=f"{subject}: Amazon is still processing feed {feed}")
    if job.processing_status == "CANCELLED":
        return Undone()
    if context.numbers is not None and await context.numbers.holder(_told(feed), 1) is not None:
        # One that ended FATAL may have done its work or not.
        return Undone() if job.processing_status == "DONE" else None
    return await _read(context, job, subject, key)


async def _read(context: Seller, job: Feed, subject: str, key: str) -> Outcome:
    """The report of a job that ended; that it was refused is noted."""
    try:
        outcome = read_result(await feeds.result(context, job), job, subject)
    except Interrupted as interruption:
        if isinstance(interruption.outcome, NeedsPerson):
            await _note(context, job, key)
        raise
    if isinstance(outcome, NeedsPerson):
        await _note(context, job, key)
    return outcome


async def _note(context: Seller, job: Feed, key: str) -> None:
    if context.numbers is not None:
        await context.numbers.take(_told(job.feed_id), key)


async def _last(context: Seller, key: str) -> str | None:
    found, number = None, 1
    while context.numbers is not None and (feed := await context.numbers.holder(_jobs(key), number)) is not None:
        found, number = feed, number + 1
    return found


def _jobs(key: str) -> str:
    return f"feeds of {key}"


def _told(feed: str) -> str:
    return f"feed {feed} told"


def envelope(seller: str, kind: str, message: ElementTree.Element) -> bytes:
    """A feed of one message."""
    root = ElementTree.Element("AmazonEnvelope")
    header = ElementTree.SubElement(root, "Header")
    child(header, "DocumentVersion", "1.01")
    child(header, "MerchantIdentifier", seller)
    child(root, "MessageType", kind)
    wrapper = ElementTree.SubElement(root, "Message")
    child(wrapper, "MessageID", "1")
    wrapper.append(message)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def child(parent: ElementTree.Element, name: str, text: str) -> None:
    """Add an element with a text."""
    ElementTree.SubElement(parent, name).text = text


def read_result(document: bytes, feed: Feed, subject: str) -> Outcome:
    """What a processing report says: processed, and without an error. One that cannot be read is no success."""
    step = "read the feed's report in Seller Central, mend what it names, then retry"
    try:
        root = _parsed(document)
        counts = {name: _count(root, name) for name in ("MessagesProcessed", "MessagesSuccessful", "MessagesWithError")}
    except ValueError as error:
        reason = f"{subject}: the report of feed {feed.feed_id} cannot be read ({error})"
        return NeedsPerson(reason=reason, next_step=step)
    problems = _problems(root)
    if counts["MessagesWithError"] or counts["MessagesSuccessful"] < 1:
        named = "; ".join(f"{one.code}: {one.description}" for one in problems)[:300] or "no reason given"
        return NeedsPerson(reason=f"{subject}: feed {feed.feed_id} was refused: {named}", next_step=step)
    return Done(reference=feed.feed_id)


def _parsed(document: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise ValueError("a document type is not read")
    try:
        return ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise ValueError(f"no XML: {error}") from None


def _count(root: ElementTree.Element, name: str) -> int:
    found = next((node.text for node in root.iter(name)), None)
    if found is None or not found.strip().isdigit():
        raise ValueError(f"no {name}")
    return int(found)


def _problems(root: ElementTree.Element) -> Sequence[Problem]:
    return [
        Problem(code=node.findtext("ResultMessageCode", ""), description=node.findtext("ResultDescription", ""))
        for node in root.iter("Result")
        if node.findtext("ResultCode") == "Error"
    ]
