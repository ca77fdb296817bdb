"""Purchase orders out by file, API or mail; answers in. Decides nothing."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.supplier.answers import counters_in, notices_in, stored
from adapters.supplier.api import ask_cancel, push
from adapters.supplier.purchase_order import (
    PurchaseOrder,
    cancelled_order,
    file_body,
    mail_text,
    new_order,
    ordered_fact,
)
from adapters.supplier.settings import Settings
from adapters.supplier.webhook import subject
from hub.sdk.capabilities import Check, Command, Context, FulfilmentCancel, FulfilmentRequest, Page, Probe, Pulled
from hub.sdk.files import RemoteFile, digest, join
from hub.sdk.folders import Judged, server, take_files
from hub.sdk.mail import compose
from hub.sdk.numbers import Numbered, Numbers
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome
from hub.sdk.translate import Malformed

SERIES: Final = "purchase_order"
"""One row of numbers for all purchase orders of a supplier."""


async def submit_fulfilment(context: Context[Settings], request: FulfilmentRequest) -> Outcome:
    """The purchase order of a fulfilment order: one number, one effect, however often it is sent."""
    numbered = await _numbered(context, request.fulfilment)
    number = context.settings.numbered(numbered.number)
    order = new_order(request, context.settings, number, numbered.at)
    match context.settings.sends:
        case "file":
            outcome = await _put(context, request, order, number)
        case "api":
            outcome = await push(context, order, request)
        case "mail":
            outcome = await _mail(context, request, order)
    if not isinstance(outcome, Done):
        return outcome
    fact = ordered_fact(order, context.settings)
    return msgspec.structs.replace(outcome, reference=number, facts=(fact,))


async def cancel_fulfilment(context: Context[Settings], request: FulfilmentCancel) -> Outcome:
    """Ask the supplier to stop. By file and by mail, what becomes of it is told later."""
    numbered = await _numbered(context, request.fulfilment)
    number = context.settings.numbered(numbered.number)
    order = cancelled_order(request, context.settings, number, numbered.at)
    match context.settings.sends:
        case "file":
            outcome = await _put(context, request, order, f"{number}-cancel")
        case "api":
            return await ask_cancel(context, order, request)
        case "mail":
            outcome = await _mail(context, request, order)
    return msgspec.structs.replace(outcome, answered_later=True) if isinstance(outcome, Done) else outcome


async def pull_files(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Files of the supplier, each stored whole, then put away. One without a file server has none."""
    if context.files is None:
        return

    def judge(file: RemoteFile, body: bytes) -> Judged:
        # Levels that are as they were once before are news.
        known = f"{file.modified_at.isoformat()}:{file.name}:{digest(body)}"
        item = Pulled(key=f"file:{known}", topic="file", object=subject(file.modified_at, file.name), body=body)
        try:
            notices_in(file.name, body, context.settings)
        except Malformed as fault:
            return Judged(item=item, error=str(fault))
        return Judged(item=item)

    async for page in take_files(context, context.settings.folders(), judge, cursor):
        yield page


async def fetch(context: Context[Settings], topic: str, about: str, body: bytes) -> tuple[Pulled, ...]:
    """The answers in a stored message or file. Raises `Interrupted` for one that is neither JSON nor a table."""
    stamp, _, name = about.partition(" ")
    try:
        found = notices_in(name, body, context.settings)
    except Malformed as fault:
        step = "Have the supplier send it again as README.md says, then close this exception."
        raise Interrupted(NeedsPerson(reason=f"{name}: {fault}", next_step=step)) from fault
    numbers = _numbers(context)
    named = {no: await numbers.holder(SERIES, no) for no in counters_in(found, context.settings)}
    holders = {no: fulfilment for no, fulfilment in named.items() if fulfilment is not None}
    return stored(found, context.settings, holders, datetime.fromisoformat(stamp))


async def probe(context: Context[Settings]) -> Probe:
    """What can be tried without ordering anything: the file server's folders."""
    settings = context.settings
    checks = [
        Check(name="sends", ok=True, detail=settings.sends),
        Check(name="webhooks", ok=True, detail="signed" if settings.webhook_secret else "none: no webhook_secret"),
    ]
    if context.files is not None:
        for folder in (settings.incoming, settings.outgoing):
            listed = await server(context).list(folder)
            checks.append(Check(name=folder, ok=True, detail=f"{len(listed)} files"))
    return Probe(account=settings.supplier, checks=tuple(checks))


async def _numbered(context: Context[Settings], fulfilment: str) -> Numbered:
    return await _numbers(context).take(SERIES, fulfilment)


def _numbers(context: Context[Settings]) -> Numbers:
    if context.numbers is None:
        step = "Report it: numbers are there wherever something is sent."
        raise Interrupted(NeedsPerson(reason="purchase orders cannot be numbered here", next_step=step))
    return context.numbers


async def _put(context: Context[Settings], request: Command, order: PurchaseOrder, name: str) -> Outcome:
    settings, files = context.settings, server(context)
    if settings.staging is not None:
        await files.make_folder(settings.staging)
    path = join(settings.outgoing, f"{name}.{settings.writes}")
    body = file_body(order, settings)
    new = await files.put(path, body, staging=settings.staging, look_first=request.look_first)
    return Done(reference=path, found=not new)


async def _mail(context: Context[Settings], request: Command, order: PurchaseOrder) -> Outcome:
    """A mail with the link to the page. One that comes twice is the same order with the same link."""
    settings = context.settings
    if context.mail is None or context.page is None or settings.mail is None or settings.to is None:
        step = "Put a mail server and the supplier's address into the connection's config."
        return NeedsPerson(reason="no mail can be sent", next_step=step)
    until = order.ordered_at + timedelta(days=settings.link_days)
    subject_line, text = mail_text(order, context.page(order.fulfilment, until))
    mail = compose(
        subject=subject_line,
        text=text,
        sender=settings.mail.sender,
        to=settings.to,
        key=request.key,
        now=context.now(),
    )
    outcome = await context.mail.send(mail, settings.mail, settings.mail_password)
    return msgspec.structs.replace(outcome, reference=order.purchase_order) if isinstance(outcome, Done) else outcome
