"""Taking files in from a partner's folder: claimed by move, stored, and only then put away. For the pulls of adapters.

async def pull(context, cursor):
    async for page in take_files(context, FOLDERS, judge, cursor):
        yield page
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.files import Files, RemoteFile, join
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater

PARTIAL: Final = (".tmp", ".part", ".partial", ".filepart", ".writing", ".crdownload", ".swp")
"""Endings under which file transfer programs write what is not whole yet."""
NOTE: Final = ".error.txt"


class Folders(msgspec.Struct, frozen=True, kw_only=True):
    """Where a partner drops files, and where they go. All on one disk: they are moved by renaming."""

    incoming: str
    claimed: str
    """Ours: what is being taken in. What lies there when a pull begins was left by one that died, and goes first; or it
    cannot be read (too long, no right), which every pull says until somebody takes it away."""
    archive: str
    error: str
    """What cannot be read at all, each with a note of the reason beside it."""
    pattern: str = "*"
    """Names that are ours, as a shell would match them; case counts."""
    settle_seconds: float = 10.0
    """A file is whole when two looks so far apart found the same size and time; 0 where senders rename when done."""
    done_suffix: str | None = None
    """Instead: `orders.csv` is whole when `orders.csv.done` lies beside it."""
    largest_bytes: int = 64 * 1024 * 1024
    """What is longer is not read."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What to store of a file, and why it is no good as a whole, if so: then it goes to the error folder."""

    item: Pulled
    error: str | None = None


Judge = Callable[[RemoteFile, bytes], Judged]
"""Pure. The file as the partner named it, and its bytes. Its delivery key holds at least `files.digest(body)`."""


class _Look(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was first seen so."""

    size: int
    modified_at: datetime
    seen_at: datetime


class _Cursor(msgspec.Struct, frozen=True):
    seen: dict[str, _Look] = {}
    """Files that were not taken yet."""


_cursor: Final = msgspec.json.Decoder(_Cursor)


async def take_files(context: Context[Any], folders: Folders, judge: Judge, cursor: str | None) -> AsyncIterator[Page]:
    """A page per file. Asking for the next page says that the last one is stored: only then is its file put away.

    A file that is read twice (whoever took it in died before it was put away) has the same key both times. Raises
    `Interrupted` as the port does, and RetryLater when another pull put away what this one was about to read; what was
    claimed by then is taken in by the next pull. A file that needs a person is told when all others are taken in.
    """
    files = server(context)
    unread: list[Interrupted] = []
    for folder in (folders.claimed, folders.archive, folders.error):
        await files.make_folder(folder)
    written = cursor or "{}"
    now = context.now()
    present = await files.list(folders.incoming)
    for left in await files.list(folders.claimed):
        if folders.done_suffix and left.name not in {file.name for file in present}:
            await files.remove(join(folders.incoming, left.name) + folders.done_suffix)
        async for page in _take(files, folders, left, judge, written, context.now, unread):
            yield page
    whole, waiting = settled(present, folders, _cursor.decode(written).seen, now)
    written = msgspec.json.encode(_Cursor(seen=waiting)).decode()
    for file in whole:
        claimed = msgspec.structs.replace(file, folder=folders.claimed, name=readable(file.name))
        if await files.move(file.path, claimed.path):
            if folders.done_suffix:
                await files.remove(file.path + folders.done_suffix)
            async for page in _take(files, folders, claimed, judge, written, context.now, unread):
                yield page
    if written != (cursor or "{}"):
        yield Page(items=(), cursor=written)
    if unread:
        raise unread[0]


def readable(name: str) -> str:
    """A file's name as text: bytes of it that are no UTF-8, which nothing else here could hold, as %E9. Pure."""
    return "".join(f"%{ord(sign) - 0xDC00:02X}" if "\udc80" <= sign <= "\udcff" else sign for sign in name)


def server(context: Context[Any]) -> Files:
    """The context's file server. Raises `Interrupted` when the connection has none."""
    if context.files is None:
        step = "Put the file server and its log-in into the connection's config."
        raise Interrupted(NeedsPerson(reason="no file server is configured", next_step=step))
    return context.files


def settled(
    present: Sequence[RemoteFile], folders: Folders, seen: Mapping[str, _Look], now: datetime
) -> tuple[list[RemoteFile], dict[str, _Look]]:
    """Files that are whole, and how the others look now. Pure."""
    names = {file.name for file in present}
    whole, waiting = [], {}
    for file in present:
        if not fnmatchcase(file.name, folders.pattern) or file.name.lower().endswith(PARTIAL):
            continue
        if folders.done_suffix:
            if not file.name.endswith(folders.done_suffix) and file.name + folders.done_suffix in names:
                whole.append(file)
            continue
        name = readable(file.name)
        before = seen.get(name)
        same = before is not None and (before.size, before.modified_at) == (file.size, file.modified_at)
        look = before if before is not None and same else _Look(file.size, file.modified_at, now)
        if (now - look.seen_at).total_seconds() >= folders.settle_seconds:
            whole.append(file)
        else:
            waiting[name] = look
    return whole, waiting


async def _read(files: Files, file: RemoteFile, longest: int) -> bytes:
    """All of a file. A server says the same of a file that is gone as of a folder that never was: look which it is."""
    if file.size > longest:
        step = "Take it away, have the partner send it in parts, or have it sent again if it is none of theirs."
        reason = f"{file.path} is {file.size} bytes long; at most {longest} are read"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step))
    try:
        return await files.read(file.path)
    except Interrupted as fault:
        needs_person = isinstance(fault.outcome, NeedsPerson)
        if needs_person and file.name not in {one.name for one in await files.list(file.folder)}:
            raise Interrupted(RetryLater(reason=f"{file.path} is gone: another pull put it away")) from fault
        raise


async def _take(
    files: Files,
    folders: Folders,
    file: RemoteFile,
    judge: Judge,
    cursor: str,
    now: Callable[[], datetime],
    unread: list[Interrupted],
) -> AsyncIterator[Page]:
    """A page of one file, which is put away after it; none of a file that needs a person, who is told in `unread`."""
    stamp = f"{now():%Y%m%dT%H%M%S%f}"
    try:
        body = await _read(files, file, folders.largest_bytes)
    except Interrupted as fault:
        if not isinstance(fault.outcome, NeedsPerson):
            raise
        unread.append(fault)
        return
    judged = judge(file, body)
    yield Page(items=(judged.item,), cursor=cursor)
    put_away = join(folders.archive if judged.error is None else folders.error, f"{stamp}-{file.name}")
    if judged.error is not None:
        await files.put(put_away + NOTE, judged.error.encode())
    await files.move(file.path, put_away)
