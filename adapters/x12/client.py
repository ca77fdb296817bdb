"""Files in, files out. Decides nothing."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from adapters.x12.answers import answer, numbers_in
from adapters.x12.interchange import NotX12, Segment, read
from adapters.x12.orders import cancel_order, shipping_order, transfer_advice
from adapters.x12.settings import Settings
from adapters.x12.split import refusal, split
from adapters.x12.tables import rows_of, table_of
from adapters.x12.writer import Unwritable, text, written
from hub.domain.facts import FulfilmentAccepted
from hub.sdk.capabilities import (
    Check,
    Command,
    Context,
    FulfilmentCancel,
    FulfilmentRequest,
    Page,
    Probe,
    Pulled,
    StockAdvice,
)
from hub.sdk.files import RemoteFile, digest, join
from hub.sdk.folders import Judged, server, take_files
from hub.sdk.numbers import Numbers
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome
from hub.sdk.tabular import table
from hub.sdk.translate import Malformed

SERIES: Final = "x12"
"""One row of numbers for all that goes to a partner."""
LONGEST_WORD: Final = 14
"""Of a 997 of ours: codes and numbers of at most nine characters, with some room for partners that have longer ones."""


async def pull_files(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Files of the partner, each stored whole, then answered with a 997, then put away."""

    def judge(file: RemoteFile, body: bytes) -> Judged:
        layout = table_of(file.name, context.settings.tables)
        # Levels that are as they were once before are news; an interchange has a number that says so itself.
        known = "" if layout is None else f"{file.modified_at.isoformat()}:{file.name}:"
        about = f"{file.modified_at.isoformat()} {file.name}"
        item = Pulled(key=f"file:{known}{digest(body)}", topic="file", object=about, body=body)
        try:
            if layout is None:
                read(body)
            else:
                tuple(table(body, layout.layout))
        except (NotX12, Malformed) as fault:
            return Judged(item=item, error=str(fault))
        return Judged(item=item)

    async for page in take_files(context, context.settings.folders(), judge, cursor):
        yield page
        for item in page.items:
            await _acknowledge(context, item)


async def fetch(context: Context[Settings], topic: str, about: str, body: bytes) -> tuple[Pulled, ...]:
    """The transactions of a stored file. Raises `Interrupted` for a file that is none, with its reason."""
    stamp, _, name = about.partition(" ")
    layout = table_of(name, context.settings.tables)
    try:
        if layout is not None:
            return rows_of(name, body, layout, context.settings.profile.location, datetime.fromisoformat(stamp))
        interchanges = read(body)
    except (NotX12, Malformed) as fault:
        step = "The file lies in the error folder. Have the partner send it again, then close this exception."
        raise Interrupted(NeedsPerson(reason=f"{name}: {fault}", next_step=step)) from fault
    numbers = _numbers(context)
    holders = {number: await numbers.holder(SERIES, number) for number in numbers_in(interchanges)}
    held = {number: _about(key) for number, key in holders.items()}
    return split(interchanges, context.settings.profile, held)


async def probe(context: Context[Settings]) -> Probe:
    """The log-in, and the two folders."""
    settings, files = context.settings, server(context)
    checks = []
    for folder in (settings.incoming, settings.outgoing):
        found = await files.list(folder)
        checks.append(Check(name=folder, ok=True, detail=f"{len(found)} files"))
    return Probe(account=settings.partner, checks=tuple(checks))


async def submit_fulfilment(context: Context[Settings], request: FulfilmentRequest) -> Outcome:
    """A 940. Where the partner answers no 997, it counts as accepted once it lies there."""
    profile = context.settings.profile
    try:
        segments = shipping_order(request, profile)
    except Unwritable as fault:
        return _unwritable(request.fulfilment, fault)
    done = await _send(context, request, "940", "OW", f"submit:{request.fulfilment}", segments)
    if isinstance(done, Done) and not profile.acknowledges:
        return msgspec.structs.replace(
            done, facts=(FulfilmentAccepted(at=context.now(), fulfilment=request.fulfilment),)
        )
    return done


async def cancel_fulfilment(context: Context[Settings], request: FulfilmentCancel) -> Outcome:
    """A 940 that cancels. What becomes of it is told later: by a 997, by a 945, or by a person."""
    try:
        segments = cancel_order(request, context.settings.profile)
    except Unwritable as fault:
        return _unwritable(request.fulfilment, fault)
    done = await _send(context, request, "940", "OW", f"cancel:{request.fulfilment}", segments)
    return msgspec.structs.replace(done, answered_later=True) if isinstance(done, Done) else done


async def advise_stock(context: Context[Settings], request: StockAdvice) -> Outcome:
    """A 943: goods are on their way to the partner."""
    try:
        segments = transfer_advice(request, context.settings.profile)
    except Unwritable as fault:
        return _unwritable(request.reference, fault)
    return await _send(context, request, "943", "AR", f"advice:{request.reference}", segments)


async def _send(
    context: Context[Settings], request: Command, code: str, functional: str, about: str, segments: Sequence[Segment]
) -> Outcome:
    """Write a file under the number that this command has for ever: a repeat writes the same file."""
    numbered = await _numbers(context).take(SERIES, f"{about} {request.key}")
    try:
        body = written(context.settings.profile, functional, code, segments, numbered.number, numbered.at)
    except Unwritable as fault:
        return _unwritable(about, fault)
    name = f"{code}-{numbered.number:09}-{request.key}.x12"
    new = await _put(context, name, body, look_first=request.look_first)
    return Done(reference=name, found=not new)


async def _put(context: Context[Settings], name: str, body: bytes, *, look_first: bool) -> bool:
    files, settings = server(context), context.settings
    if settings.staging is not None:
        await files.make_folder(settings.staging)
    path = join(settings.outgoing, name)
    return await files.put(path, body, staging=settings.staging, look_first=look_first)


async def _acknowledge(context: Context[Settings], item: Pulled) -> None:
    """Write a 997 for each group that is for us. The same file again has the same answer, byte for byte."""
    profile, body = context.settings.profile, item.body
    name = (item.object or "").partition(" ")[2]
    if not profile.wants_acknowledgements or table_of(name, context.settings.tables) is not None:
        return
    try:
        interchanges = read(body)
    except NotX12:
        return
    for place, interchange in enumerate(interchanges):
        if refusal(interchange, profile) is not None:
            continue
        for number, group in enumerate(interchange.groups):
            segments = answer(group)
            if segments is not None:
                await _answer(context, f"answer:{place}.{number}:{digest(body)}", segments)


async def _answer(context: Context[Settings], about: str, segments: Sequence[Segment]) -> None:
    numbered = await _numbers(context).take(SERIES, about)
    profile = context.settings.profile
    # The partner's own words, and its files may hold in them what ours cannot: no reason to stop taking files.
    said = [tuple(text(value, LONGEST_WORD, profile) for value in segment) for segment in segments]
    body = written(profile, "FA", "997", said, numbered.number, numbered.at)
    await _put(context, f"997-{numbered.number:09}.x12", body, look_first=False)


def _numbers(context: Context[Settings]) -> Numbers:
    if context.numbers is None:
        raise Interrupted(NeedsPerson(reason="no numbers to count files with", next_step="This is a fault of the hub."))
    return context.numbers


def _about(key: str | None) -> str | None:
    """What a number was given to, without the command's key."""
    return None if key is None else key.partition(" ")[0]


def _unwritable(what: str, fault: Unwritable) -> NeedsPerson:
    step = "Correct the order, the item or the partner's profile, then retry."
    return NeedsPerson(reason=f"{what}: {fault}", next_step=step)
