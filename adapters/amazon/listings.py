"""Telling Amazon what may be sold: a request for each SKU while they are few, one listings feed when they are many."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import quote

import msgspec

from adapters.amazon import answers, feeds
from adapters.amazon.client import Seller, request
from adapters.amazon.schemas import Feed, Issue, Listing, Report, Submission
from hub.sdk.capabilities import AvailabilityUpdate, Level
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, RetryLater, Uncertain
from hub.sdk.wire import Request

KIND: Final = "JSON_LISTINGS_FEED"
BATCH: Final = 5000
"""Levels in one call; a feed holds 25,000 messages."""
ANY_TYPE: Final = "PRODUCT"
"""The product type under which offers of any type may be changed."""
ATTRIBUTE: Final = "fulfillment_availability"
CHANNEL: Final = "fulfillment_channel_code"
SHOWN: Final = 20
FORGOTTEN: Final = timedelta(hours=1)
"""A feed this old is waited for no longer: the levels are told anew."""
PATIENCE: Final = timedelta(minutes=30)
"""Feeds take minutes; one that takes longer is worth a word to a person."""
NEXT_LOOK: Final = timedelta(minutes=1)
WHOLE: Final = "(the whole feed)"

Failures = dict[str, str]


async def publish_availability(context: Seller, request: AvailabilityUpdate, /) -> Outcome:
    """Set quantities, absolute. A level's location is the fulfilment channel code: "DEFAULT", or a supply source.

    A feed takes minutes, longer than one call lasts. The next try waits for it and reads its report before another is
    sent: feeds are scarce, cancels and refunds need them too, and a report that nobody read named nobody.
    """
    if len(request.levels) < context.settings.feed_from:
        failed: Failures = {}
        for level in request.levels:
            reason = await _patch(context, level)
            if reason is not None:
                failed[level.sku] = reason
        return told(failed) if failed else Done()
    document = feed_document(context, request.levels)
    if request.look_first:
        earlier = await _earlier(context, request.levels, fingerprint(document))
        if earlier is not None:
            return earlier
    feed = await feeds.start(context, KIND, feeds.JSON, document)
    if context.numbers is not None:
        await context.numbers.take(series(feed), fingerprint(document))
    return await _ended(context, await feeds.finished(context, feed), request.levels)


async def _ended(context: Seller, job: Feed, levels: Sequence[Level]) -> Outcome:
    """What became of a feed that held these levels."""
    if job.processing_status in feeds.RUNNING:
        return Uncertain(reason=f"availability: Amazon is still processing feed {job.feed_id}")
    failed = read_report(await feeds.result(context, job), levels, job.feed_id)
    return told(failed) if failed else Done(reference=job.feed_id)


async def _earlier(context: Seller, levels: Sequence[Level], content: str) -> Outcome | None:
    """What became of the newest feed of the last hour; None where it has ended and held other levels than these."""
    now = context.now()
    jobs = sorted(await feeds.since(context, KIND, now - FORGOTTEN), key=lambda job: job.created_time)
    running = [job for job in jobs if job.processing_status in feeds.RUNNING]
    if running:
        reason = f"availability: Amazon is still processing feed {running[0].feed_id}"
        if now - running[0].created_time > PATIENCE:
            return Uncertain(reason=reason)
        return RetryLater(reason=reason, at=now + NEXT_LOOK)
    if not jobs or context.numbers is None or await context.numbers.holder(series(jobs[-1].feed_id), 1) != content:
        return None
    # One that died is no reason to ask a person before the levels were told once more.
    return await _ended(context, jobs[-1], levels) if jobs[-1].processing_status == "DONE" else None


def series(feed: str) -> str:
    """Counter under which a feed's fingerprint is kept."""
    return f"listings feed {feed}"


def fingerprint(document: bytes) -> str:
    """Tells whether a feed held the same levels."""
    return hashlib.sha256(document).hexdigest()


async def _patch(context: Seller, level: Level) -> str | None:
    """Set one SKU's quantity and read its issues back; why not, when it could not be set."""
    listing = await _listing(context, level.sku)
    if listing is None:
        return "there is no such listing"
    wanted = patch_request(context, level, listing)
    response = await context.client.send(wanted)
    submission = answers.read(response, wanted, Submission, f"listing {level.sku}", context.now())
    refused = read_submission(submission)
    if refused is not None:
        return refused
    after = await _listing(context, level.sku)
    return read_back(after, level)


async def _listing(context: Seller, sku: str) -> Listing | None:
    query = {**_where(context), "includedData": "summaries,attributes,issues"}
    wanted = request("GET", _path(context, sku), "getListingsItem", query=query)
    response = await context.client.send(wanted)
    if response.status == 404:
        return None
    return answers.read(response, wanted, Listing, f"listing {sku}", context.now())


def _path(context: Seller, sku: str) -> str:
    return f"/listings/2021-08-01/items/{context.settings.seller_id}/{quote(sku, safe='')}"


def _where(context: Seller) -> dict[str, str]:
    settings = context.settings
    return {"marketplaceIds": ",".join(settings.marketplace_ids), "issueLocale": settings.issue_locale}


def patch_request(context: Seller, level: Level, listing: Listing) -> Request:
    """PATCH of the whole availability of one channel: `replace` wipes what is not sent, the lead time for one."""
    known = next(
        (part for part in listing.attributes.fulfillment_availability if part.get(CHANNEL) == level.location), {}
    )
    kept = {name: value for name, value in known.items() if name not in ("quantity", "marketplace_id")}
    value = {**kept, CHANNEL: level.location, "quantity": level.quantity}
    product = next((one.product_type for one in listing.summaries if one.product_type), ANY_TYPE)
    document = {
        "productType": product,
        "patches": [{"op": "replace", "path": f"/attributes/{ATTRIBUTE}", "value": [value]}],
    }
    path = _path(context, level.sku)
    return request("PATCH", path, "patchListingsItem", query=_where(context), document=document, write=True)


def read_submission(submission: Submission) -> str | None:
    """Why a submission was not accepted; None when it was. Warnings are no reason."""
    if submission.status == "ACCEPTED":
        errors = _errors(submission.issues)
        return "; ".join(errors) or None
    return "; ".join(_errors(submission.issues)) or f"the submission is {submission.status}"


def read_back(listing: Listing | None, level: Level) -> str | None:
    """What the listing itself says after an accepted submission: issues about availability, nothing else.

    The quantity is not compared: Amazon applies it minutes later, and says so by notification.
    """
    if listing is None:
        return "the listing is gone"
    concerned = [issue for issue in listing.issues if ATTRIBUTE in issue.attribute_names]
    return "; ".join(_errors(concerned)) or None


def _errors(issues: Sequence[Issue]) -> list[str]:
    return [f"{issue.code}: {issue.message}" for issue in issues if issue.severity == "ERROR"]


def feed_document(context: Seller, levels: Sequence[Level]) -> bytes:
    """One message per level; `merge` keeps what else the channel's availability holds."""
    settings = context.settings
    messages = [
        {
            "messageId": number,
            "sku": level.sku,
            "operationType": "PATCH",
            "productType": ANY_TYPE,
            "patches": [
                {
                    "op": "merge",
                    "path": f"/attributes/{ATTRIBUTE}",
                    "value": [{CHANNEL: level.location, "quantity": level.quantity}],
                }
            ],
        }
        for number, level in enumerate(levels, 1)
    ]
    header = {"sellerId": settings.seller_id, "version": "2.0", "issueLocale": settings.issue_locale}
    return msgspec.json.encode({"header": header, "messages": messages})


def read_report(document: bytes, levels: Sequence[Level], feed: str) -> Failures:
    """Failures by SKU, messages not accepted and not named included. Raises `Interrupted` when it cannot be read."""
    try:
        report = msgspec.json.decode(document, type=Report)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Interrupted(RetryLater(reason=f"feed {feed}: the processing report cannot be read")) from None
    failed: Failures = {}
    named: set[int | str] = set()
    for issue in report.issues:
        if issue.severity != "ERROR":
            continue
        number = issue.message_id
        known = number is not None and 1 <= number <= len(levels)
        sku = levels[(number or 1) - 1].sku if known else (issue.sku or WHOLE)
        failed[sku] = f"{issue.code}: {issue.message}" if issue.code else issue.message
        named.add(number if known and number is not None else sku)
    unread = len(levels) - report.summary.messages_accepted - len(named)
    if unread > 0 and WHOLE not in failed:
        failed["(unnamed)"] = f"{unread} of {len(levels)} messages were not accepted"
    return failed


def told(failed: Failures) -> NeedsPerson:
    """Name the SKUs that were not set."""
    named = [f"{sku} ({reason[:120]})" for sku, reason in sorted(failed.items())]
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return NeedsPerson(
        reason=f"availability was not set for {', '.join(named[:SHOWN])}{more}",
        next_step="mend these listings in Seller Central; their next change of stock is told again",
    )
