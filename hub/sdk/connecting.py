"""What a transport is reached with besides HTTP."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from hub.sdk.wire import Ssh, Transport

if TYPE_CHECKING:
    from hub.sdk.sftp import SftpFiles


def open_files(transport: Transport, clock: Callable[[], datetime]) -> "SftpFiles | None":
    """The file server that a transport logs in to, if it does. Nothing is sent yet; close it with `aclose`."""
    if not isinstance(transport.auth, Ssh):
        return None
    # 15 MB and a fifth of a second that most processes never need.
    from hub.sdk.sftp import SftpFiles

    return SftpFiles(transport, clock=clock)


@asynccontextmanager
async def files_of(transport: Transport, clock: Callable[[], datetime]) -> AsyncIterator["SftpFiles | None"]:
    """The same for the length of a block."""
    files = open_files(transport, clock)
    try:
        yield files
    finally:
        if files is not None:
            await files.aclose()
