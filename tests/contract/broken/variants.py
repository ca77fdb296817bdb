"""The mistakes that cost money in real connectors, one adapter each, made on top of the good one."""

import hmac
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from time import monotonic_ns
from typing import Annotated, Any, Final

import msgspec
import structlog

from hub.domain.facts import GoodsShipped
from hub.domain.order import OrderSnapshot
from hub.domain.shipping import Parcel
from hub.sdk.adapter import Adapter, Form, Lane, Message, Pull, Topic
from hub.sdk.capabilities import Context, FulfilmentRequest, Page, Pulled
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, Refused, RetryLater
from hub.sdk.translate import Tables
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict, hmac_sha256, signed_hex
from hub.sdk.wire import Request, Transport
from tests.contract.broken import acme

log = structlog.get_logger(__name__)
replace = msgspec.structs.replace


def signs_what_it_decoded(delivery: Delivery, settings: acme.Settings) -> Verdict:
    """The HMAC over a document decoded and encoded again: right until a vendor writes a space or another escape."""
    try:
        body = msgspec.json.encode(msgspec.json.decode(delivery.body))
    except msgspec.MsgspecError:
        return Refuse()
    good = signed_hex(body, delivery.headers.get("acme-signature"), (settings.webhook_secret,))
    return Store(key=delivery.headers.get("acme-event", ""), topic="order.changed") if good else Refuse()


def trusts_any_signature(delivery: Delivery, settings: acme.Settings) -> Verdict:
    """Looks whether there is a signature, not whether it is right."""
    good = len(delivery.headers.get("acme-signature", "")) == 64
    return Store(key=delivery.headers.get("acme-event", ""), topic="order.changed") if good else Refuse()


def unsigned_is_fine(delivery: Delivery, settings: acme.Settings) -> Verdict:
    """A delivery without signature passes as a test of the vendor's."""
    if "acme-signature" not in delivery.headers:
        return Store(key=delivery.headers.get("acme-event", "test"), topic="order.changed")
    return acme.check(delivery, settings)


def empty_secret_signs(delivery: Delivery, settings: acme.Settings) -> Verdict:
    """HMAC works with an empty key, for everybody."""
    expected = hmac_sha256(settings.webhook_secret, delivery.body).hex()
    same = hmac.compare_digest(expected, delivery.headers.get("acme-signature", ""))
    return Store(key=delivery.headers.get("acme-event", ""), topic="order.changed") if same else Refuse()


def key_of_the_attempt(delivery: Delivery, settings: acme.Settings) -> Verdict:
    """Each redelivery is stored as if it were news."""
    verdict = acme.check(delivery, settings)
    return replace(verdict, key=delivery.headers.get("acme-sent", "")) if isinstance(verdict, Store) else verdict


def refuses_politely(delivery: Delivery, settings: acme.Settings) -> Verdict:
    """Forgeries are answered 400, and the log keeps the secret for whoever debugs it."""
    verdict = acme.check(delivery, settings)
    if isinstance(verdict, Refuse):
        log.warning("webhook.refused", expected_with=settings.webhook_secret)
    return verdict


def float_money(body: bytes, tables: Tables) -> tuple[Message, ...]:
    messages = acme.changed(body, tables)
    return tuple(_with_float_cost(message) for message in messages)


def _with_float_cost(message: Message) -> Message:
    if not isinstance(message, GoodsShipped):
        return message
    parcels = tuple(
        Parcel(tracking=box.tracking, carrier=box.carrier, cost=float(box.cost))  # type: ignore[arg-type]
        for box in message.parcels
        if box.cost is not None
    )
    return replace(message, parcels=parcels)


def status_defaulted(body: bytes, tables: Tables) -> tuple[Message, ...]:
    order = acme.decode(body)
    word = tables.find("status", order.status) or "accepted"
    known = {"accepted": "ACCEPTED", "shipped": "SHIPPED"}[word]
    return acme.changed(msgspec.json.encode(replace(order, status=known)), tables)


def identity_invented(body: bytes, tables: Tables) -> tuple[Message, ...]:
    try:
        document = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return acme.changed(body, tables)
    return acme.changed(msgspec.json.encode({"reference": "unknown", **document}), tables)


class StrictChanged(acme.Changed, forbid_unknown_fields=True):
    """A vendor adds a field, and orders stop."""


def strict(body: bytes, tables: Tables) -> tuple[Message, ...]:
    acme.changed(body, tables)
    msgspec.json.decode(body, type=StrictChanged)
    return acme.changed(body, tables)


async def swallows_errors(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    try:
        outcome = await acme.submit(context, request)
    except Interrupted:
        return Done(reference="?")
    return Done(reference="?") if isinstance(outcome, RetryLater) else outcome


async def believes_the_status(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    """200 is 200; what is inside is for the log."""
    if request.look_first:
        return await acme.submit(context, request)
    response = await context.client.send(acme.submit_request(request))
    return Done(reference="A-1") if response.status == 200 else acme.read_submit(response, context.now())


async def takes_a_part_for_all(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    """There is an order at the site, so all is well."""
    outcome = await acme.submit(context, request)
    return Done(reference="A-1") if isinstance(outcome, NeedsPerson) else outcome


async def believes_a_web_page(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    """No error could be found in it."""
    if request.look_first:
        return await acme.submit(context, request)
    response = await context.client.send(acme.submit_request(request))
    page = response.status == 200 and b"<html" in response.body
    return Done(reference="A-1") if page else acme.read_submit(response, context.now())


async def chokes_on_a_web_page(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    """An answer that cannot be read is a stack trace, and nobody knows whether the order exists."""
    if request.look_first:
        return await acme.submit(context, request)
    response = await context.client.send(acme.submit_request(request))
    msgspec.json.decode(response.body)
    return acme.read_submit(response, context.now())


async def repeats_blindly(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    return await acme.submit(context, replace(request, look_first=False))


async def forgets_that_it_writes(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    if request.look_first:
        return await acme.submit(context, request)
    sent = replace(acme.submit_request(request), write=False)
    return acme.read_submit(await context.client.send(sent), context.now())


async def gives_up_when_throttled(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    outcome = await acme.submit(context, request)
    throttled = isinstance(outcome, RetryLater) and "429" in outcome.reason
    return Refused(reason="the site will not take it") if throttled else outcome


async def forgets_when(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    outcome = await acme.submit(context, request)
    return replace(outcome, at=None) if isinstance(outcome, RetryLater) else outcome


async def takes_401_for_weather(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    try:
        return await acme.submit(context, request)
    except Interrupted as interruption:
        if type(interruption.outcome).__name__ == "Unauthorised":
            return RetryLater(reason="answered 401")
        raise


async def takes_5xx_for_final(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    outcome = await acme.submit(context, request)
    final = isinstance(outcome, RetryLater) and "503" in outcome.reason
    return NeedsPerson(reason="answered 503", next_step="ask Acme") if final else outcome


async def logs_the_customer(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    log.info("acme.submit", customer=request.ship_to.name)
    return await acme.submit(context, request)


async def logs_the_token(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    log.info("acme.submit", headers=dict(acme.transport(context.settings).headers))
    return await acme.submit(context, request)


async def forgets_the_reference(context: Context[acme.Settings], request: FulfilmentRequest) -> Outcome:
    outcome = await acme.submit(context, request)
    return Done() if isinstance(outcome, Done) else outcome


async def ends_early(context: Context[acme.Settings], cursor: str | None) -> AsyncIterator[Page]:
    try:
        async for page in acme.pull_orders(context, cursor):
            yield page
    except Interrupted:
        return


async def steps_over_pages(context: Context[acme.Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Counts the pages from one, the vendor from nought."""
    async for page in acme.pull_orders(context, "1" if cursor is None else cursor):
        yield page


async def goes_on_after_a_failure(context: Context[acme.Settings], cursor: str | None) -> AsyncIterator[Page]:
    """A page that failed is left out, and the cursor goes past it."""
    at, failures = cursor or "0", 0
    while failures < 2:
        try:
            async for page in acme.pull_orders(context, at):
                yield page
                at = str(int(page.cursor) + 1)
        except Interrupted:
            failures += 1
            if failures == 2:
                raise
            at = str(int(at) + 1)
        else:
            return


async def goes_by_its_own_clock(context: Context[acme.Settings], cursor: str | None) -> AsyncIterator[Page]:
    """The next pull begins where our clock stood, whatever the vendor's says."""
    began, page, rows = context.now().isoformat(), 0, True
    while rows:
        query = {"page": str(page), "since": cursor or ""}
        response = await context.client.send(Request(method="GET", path="/changes", operation="changes", query=query))
        if response.status != 200:
            raise Interrupted(RetryLater(reason=f"{response.status}", at=retry_after(response, context.now())))
        found: list[msgspec.Raw] = msgspec.json.decode(response.body, type=list[msgspec.Raw])
        yield Page(items=tuple(acme.pulled(bytes(row)) for row in found), cursor=cursor if found and cursor else began)
        page, rows = page + 1, bool(found)


async def fetches_what_it_was_told(context: Context[acme.Settings], topic: str, object: str, body: bytes) -> Pulled:
    """The notice has the same fields, so why ask."""
    return acme.pulled(body)


def stamps_its_own_clock(body: bytes, tables: Tables) -> tuple[Message, ...]:
    """A fact is dated when it was read, not when it was true."""
    return tuple(
        replace(message, at=datetime.now(UTC)) if isinstance(message, GoodsShipped) else message
        for message in acme.changed(body, tables)
    )


def one_version_for_all(body: bytes, tables: Tables) -> tuple[Message, ...]:
    """What comes last wins, be it the oldest."""
    return tuple(
        replace(message, content=replace(message.content, version=1)) if isinstance(message, OrderSnapshot) else message
        for message in acme.sale(body, tables)
    )


def versions_by_arrival(body: bytes, tables: Tables) -> tuple[Message, ...]:
    """The version is when it came."""
    return tuple(
        replace(message, content=replace(message.content, version=monotonic_ns()))
        if isinstance(message, OrderSnapshot)
        else message
        for message in acme.sale(body, tables)
    )


class Talkative(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings that print their secrets."""

    site: str
    token: acme.Secret
    webhook_secret: Annotated[str, msgspec.Meta(extra_json_schema={"x-secret": True})]
    base_url: str | None = None


def unlimited(settings: acme.Settings) -> Transport:
    return replace(acme.transport(settings), limits=())


def _with(**changes: Any) -> Adapter:
    return replace(acme.ADAPTER, **changes)


def _reading(translate: Any) -> Adapter:
    return _with(topics=_topics(**{"order.changed": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=translate)}))


def _reading_and_ignoring() -> Adapter:
    topic = replace(acme.ADAPTER.topics["order.changed"], ignore=True)
    return _with(topics=_topics(**{"order.changed": topic}))


def _selling(translate: Any) -> Adapter:
    return _with(topics=_topics(sale=Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, translate=translate)))


def _topics(**changed: Topic) -> Mapping[str, Topic]:
    return {**acme.ADAPTER.topics, **changed}


def _submitting(submit: Any) -> Adapter:
    return _with(submit_fulfilment=submit)


def _pulling(pages: Any) -> Adapter:
    return _with(pulls={"status": Pull(pages=pages, every_seconds=300)})


BROKEN: Final[Mapping[str, tuple[Adapter, str, str]]] = {
    "signs what it decoded": (_with(check=signs_what_it_decoded), "raw_bytes", "sign raw bytes"),
    "trusts any signature": (_with(check=trusts_any_signature), "flipped_bit", "a bit flipped in byte 0"),
    "lets unsigned deliveries in": (_with(check=unsigned_is_fine), "forged", "without any header"),
    "takes an empty secret": (_with(check=empty_secret_signs), "empty_secret", "signed with the empty secret"),
    "keys by attempt": (_with(check=key_of_the_attempt), "redelivered", "sent again has another key"),
    "logs the webhook secret": (_with(check=refuses_politely), "quiet", "told a secret"),
    "books a float": (_reading(float_money), "any_order", "parcels.0.cost is the float 19.99"),
    "defaults an unknown status": (_reading(status_defaulted), "drift", "never a default"),
    "invents an identity": (_reading(identity_invented), "drift", "instead of raising Malformed"),
    "refuses new fields": (_reading(strict), "drift", "field_of_tomorrow"),
    "swallows errors": (_submitting(swallows_errors), "error_read", "came to Done(reference='?'"),
    "repeats without looking": (_submitting(repeats_blindly), "repeat_after_uncertain", "it happened 2 times"),
    "forgets that it writes": (_submitting(forgets_that_it_writes), "repeat_after_uncertain", "it happened 2 times"),
    "gives up when throttled": (_submitting(gives_up_when_throttled), "throttled", "came to Refused"),
    "forgets when to come back": (_submitting(forgets_when), "throttled", "never came to RetryLater with `at`"),
    "takes 401 for weather": (_submitting(takes_401_for_weather), "unauthorised", "instead of Unauthorised"),
    "takes 5xx for final": (_submitting(takes_5xx_for_final), "error_read", "came to NeedsPerson"),
    "logs the customer": (_submitting(logs_the_customer), "redaction", "personal data of ship_to was told"),
    "logs the token": (_submitting(logs_the_token), "redaction", "a secret was told"),
    "forgets the reference": (_submitting(forgets_the_reference), "answer_read", "Done.reference"),
    "swallows a 200 with errors": (_submitting(believes_the_status), "declined", "instead of Refused or NeedsPerson"),
    "takes a part for the whole": (_submitting(takes_a_part_for_all), "in_part", "as if it were all"),
    "believes a web page": (_submitting(believes_a_web_page), "nonsense", "answered 200 with a web page"),
    "chokes on a web page": (_submitting(chokes_on_a_web_page), "nonsense", "raised DecodeError"),
    "loses a page": (_pulling(steps_over_pages), "pulled[status]", "brought 3 of 5 objects"),
    "leaves out a page that failed": (_pulling(goes_on_after_a_failure), "pull_resumed", "brought 3 of 5 objects"),
    "goes by its own clock": (_pulling(goes_by_its_own_clock), "pull_clock", "it brought 0 of 5 objects"),
    "stamps its own clock": (_reading(stamps_its_own_clock), "any_order", "reads differently the second time"),
    "gives all one version": (_selling(one_version_for_all), "newest_wins", "a late delivery would undo it"),
    "versions by arrival": (_selling(versions_by_arrival), "newest_wins", "a late delivery would undo it"),
    "fetches what it was told": (_with(fetch=fetches_what_it_was_told), "fetched", "without asking the vendor"),
    "reads a thin event": (
        _with(topics=_topics(**{"order.noticed": acme.ADAPTER.topics["order.changed"]})),
        "topics_declared",
        "declare it thin",
    ),
    "ends a pull early": (_pulling(ends_early), "pull_interrupted", "as if that were all"),
    "declares no limit": (_with(transport=unlimited), "burst", "limits were broken"),
    "reads a topic in two ways": (
        _reading_and_ignoring(),
        "topics_declared",
        "exactly one of",
    ),
}
"""By mistake: the adapter that makes it, the case that must catch it, and words of what it says."""
