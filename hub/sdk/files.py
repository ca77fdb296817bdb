"""Files at a partner's: what an adapter may do with them. `sftp.py` does it, `folders.py` takes files in by it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a folder there. What begins with a dot, and what is no ordinary file, is never listed."""

    folder: str
    name: str
    size: int
    modified_at: datetime
    """By the server's clock, whole seconds."""

    @property
    def path(self) -> str:
        """Where it lies."""
        return join(self.folder, self.name)


class Files(Protocol):
    """One log-in to a file server, one operation at a time. Paths are relative to the log-in's own folder.

    Raises `outcomes.Interrupted`: RetryLater when the server cannot be reached, breaks off or fails, Unauthorised when
    it refuses the log-in, NeedsPerson when its host key is not the pinned one, a folder is missing or a right is, or
    the server cannot do what is asked (some cannot rename), and, of `put` only, Uncertain when the connection broke at
    the moment the file was given its name.
    """

    async def list(self, folder: str) -> Sequence[RemoteFile]:
        """Files of a folder, oldest first."""
        ...

    async def read(self, path: str) -> bytes:
        """All of a file."""
        ...

    async def move(self, path: str, to: str) -> bool:
        """Rename in one step; False when there is no such file (any more): somebody else took it."""
        ...

    async def remove(self, path: str) -> None:
        """Delete a file; one that is gone is no fault."""
        ...

    async def make_folder(self, path: str) -> None:
        """See that a folder is there, its parents too."""
        ...

    async def put(self, path: str, body: bytes, *, staging: str | None = None, look_first: bool = False) -> bool:
        """Write a file so that nobody sees half of it: under another name, then renamed. False: an earlier try did it.

        A file of that name is never replaced: with the same bytes it is ours (False), with others NeedsPerson. Name
        files after the command's key. A partner may have taken the file away before an uncertain try is repeated with
        `look_first`: with `staging` (a folder of ours on the same disk, not looked into by the partner) a receipt lies
        there that tells a file that was given its name from one that never was. Without it such a repeat writes anew.
        """
        ...


def join(folder: str, name: str) -> str:
    """A path under a folder; "" is the log-in's own."""
    return f"{folder.rstrip('/')}/{name}" if folder and folder != "/" else f"{folder}{name}"


def digest(body: bytes) -> str:
    """What tells two contents apart, for delivery keys."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()
