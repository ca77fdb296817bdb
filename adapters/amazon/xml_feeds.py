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


async def run(context: Seller, kind: str, document: bytes, subject: str) -> Outcome:
    """Start a job and wait for its end. Uncertain once it is started and its end is not known."""
    feed = await feeds.start(context, kind, feeds.XML, document)
    try:
        job = await feeds.finished(context, feed)
        if job.processing_status in feeds.RUNNING:
            return Uncertain(reason=f"{subject}: Amazon is still processing feed {feed}")
        return read_result(await feeds.result(context, job), job, subject)
    except Interrupted as interruption:
        if not isinstance(interruption.outcome, RetryLater):
            raise
        # The job is started: a look at it that failed must not let it be started again without looking.
        reason = f"{subject}: feed {feed} was sent, its end is not known: {interruption.outcome.reason}"
        raise Interrupted(Uncertain(reason=reason)) from interruption


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
