"""The file port over SFTP: the only importer of asyncssh. One session, one operation at a time, the host key pinned."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn, TypeVar
from urllib.parse import urlsplit

import asyncssh

from hub.sdk.files import RemoteFile, join
from hub.sdk.leased import may_write
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import Ssh, Transport

T = TypeVar("T")

LOGIN_SECONDS: Final = 15.0
OPERATION_SECONDS: Final = 60.0
"""Longest single operation, a whole file included: 64 MiB at 10 Mbit/s."""
IDLE_SECONDS: Final = 5.0
"""A session that nobody uses is ended: many servers allow a log-in one or two, and other processes want theirs."""
CROWDED: Final = timedelta(seconds=60)
"""Pause after "too many connections": another session of ours or the partner's has to end first."""

# Both tell who logs in where, at every connection.
logging.getLogger("asyncssh").setLevel(logging.WARNING)

_ABSENT = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_BROKEN = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, OSError, TimeoutError)
_ORDINARY = (asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN)


class _Pinned(asyncssh.SSHClient):
    """Believes a server that shows a pinned key, and remembers what it was shown."""

    def __init__(self, pinned: frozenset[str]) -> None:
        self._pinned = pinned
        self.shown = ""
        self.crowded = False
        """The server ended the session because there are too many."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Asked when the session ends."""
        self.crowded = isinstance(exc, asyncssh.DisconnectError) and exc.code == asyncssh.DISC_TOO_MANY_CONNECTIONS

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Asked for a key that no known_hosts file vouches for, and there is none."""
        self.shown = key.get_fingerprint("sha256")
        return self.shown in self._pinned


class SftpFiles:
    """See `files.Files`. The session is opened when first needed and anew after it broke; `aclose` ends it."""

    def __init__(self, transport: Transport, *, clock: Callable[[], datetime]) -> None:
        if not isinstance(transport.auth, Ssh):
            raise TypeError("a file server is logged in to with wire.Ssh")
        address = urlsplit(transport.base_url)
        self._host, self._port = address.hostname or "", address.port or 22
        self._login = transport.auth
        self._clock = clock
        self._lock = asyncio.Lock()
        self._door = _Pinned(frozenset())
        self._idle: asyncio.TimerHandle | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None

    async def aclose(self) -> None:
        """End the session. The next operation would open another."""
        connection = self._leave()
        if connection is not None:
            connection.abort()
            await connection.wait_closed()

    def _leave(self) -> asyncssh.SSHClientConnection | None:
        if self._idle is not None:
            self._idle.cancel()
        connection, self._connection, self._sftp, self._idle = self._connection, None, None, None
        return connection

    def _rest(self) -> None:
        """Begin to wait for the next operation."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        if self._lock.locked():
            return
        connection = self._leave()
        if connection is not None:
            connection.close()

    async def list(self, folder: str) -> Sequence[RemoteFile]:
        """See `Files.list`."""
        names = await self._do(f"list {folder}", lambda sftp: sftp.readdir(folder or "."))
        found = [
            RemoteFile(
                folder=folder,
                name=str(name.filename),
                size=name.attrs.size or 0,
                modified_at=datetime.fromtimestamp(name.attrs.mtime or 0, UTC),
            )
            for name in names
            if name.attrs.type in _ORDINARY and not str(name.filename).startswith(".")
        ]
        return sorted(found, key=lambda file: (file.modified_at, file.name))

    async def read(self, path: str) -> bytes:
        """See `Files.read`."""
        return await self._do(f"read {path}", lambda sftp: _whole(sftp, path))

    async def move(self, path: str, to: str) -> bool:
        """See `Files.move`."""
        try:
            await self._do(f"move {path} to {to}", lambda sftp: _rename(sftp, path, to), absent=True)
        except _ABSENT:
            return False
        return True

    async def remove(self, path: str) -> None:
        """See `Files.remove`."""
        try:
            await self._do(f"remove {path}", lambda sftp: sftp.remove(path), absent=True)
        except _ABSENT:
            return

    async def make_folder(self, path: str) -> None:
        """See `Files.make_folder`."""
        await self._do(f"make {path}", lambda sftp: sftp.makedirs(path, exist_ok=True))

    async def put(self, path: str, body: bytes, *, staging: str | None = None, look_first: bool = False) -> bool:
        """See `Files.put`."""
        folder, _, name = path.rpartition("/")
        draft = join(folder, f".{name}.tmp") if staging is None else join(staging, f"{name}.tmp")
        receipt = None if staging is None else join(staging, f"{name}.sent")
        there = await self._content(path)
        if there is not None:
            return self._ours(path, there == body)
        if look_first and receipt is not None and await self._content(receipt) is not None:
            # Written when the draft was whole: a draft that is gone since was given its name, and the file taken away.
            named = await self._content(draft) is None
            if named:
                return False
        await self._write(draft, body)
        if receipt is not None:
            await self._write(receipt, b"")
        if not may_write():
            raise Interrupted(Uncertain(reason=f"put {path}: its lease ran out before it was given its name"))
        await self._do(f"put {path}", lambda sftp: _rename(sftp, draft, path), naming=True)
        return True

    def _ours(self, path: str, same: bool) -> bool:
        if same:
            return False
        step = "Look at both: ours is in the attempt. Move the other one away, then retry."
        raise Interrupted(NeedsPerson(reason=f"put {path}: another file has this name", next_step=step))

    async def _content(self, path: str) -> bytes | None:
        try:
            return await self._do(f"look at {path}", lambda sftp: _whole(sftp, path), absent=True)
        except _ABSENT:
            return None

    async def _write(self, path: str, body: bytes) -> None:
        async def act(sftp: asyncssh.SFTPClient) -> None:
            async with sftp.open(path, "wb") as file:
                await file.write(body)

        await self._do(f"write {path}", act)

    async def _do(
        self,
        operation: str,
        act: Callable[[asyncssh.SFTPClient], Awaitable[T]],
        *,
        absent: bool = False,
        naming: bool = False,
    ) -> T:
        """Run one operation. With `absent` a missing file is the caller's business."""
        async with self._lock:
            sftp = await self._session(operation)
            try:
                async with asyncio.timeout(OPERATION_SECONDS):
                    return await act(sftp)
            except _ABSENT as error:
                if absent:
                    raise
                step = "Make the folder at the server, or correct the connection's config; then retry."
                reason = f"{operation}: there is no such file or folder"
                raise Interrupted(NeedsPerson(reason=reason, next_step=step)) from error
            except _BROKEN as error:
                await self.aclose()
                reason = f"{operation}: the connection broke ({type(error).__name__})"
                at = self._clock() + CROWDED if self._door.crowded else None
                raise Interrupted(Uncertain(reason=reason) if naming else RetryLater(reason=reason, at=at)) from error
            except asyncssh.SFTPError as error:
                raise Interrupted(_said(operation, error)) from error
            finally:
                self._rest()

    async def _session(self, operation: str) -> asyncssh.SFTPClient:
        if self._sftp is not None and self._connection is not None and not self._connection.is_closed():
            return self._sftp
        await self.aclose()
        try:
            door = self._door = _Pinned(frozenset(_fingerprint(key) for key in self._login.host_keys))
            own = self._login.private_key
            keys = [asyncssh.import_private_key(own, self._login.passphrase)] if own else None
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            step = "Correct the keys in the connection's config."
            raise Interrupted(NeedsPerson(reason=f"{operation}: a key cannot be read", next_step=step)) from error
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                self._connection = await asyncssh.connect(
                    self._host,
                    self._port,
                    client_factory=lambda: door,
                    # Nothing of this machine's own: no known hosts, no configuration, no agent, no default keys.
                    known_hosts=b"",
                    config=None,
                    agent_path=None,
                    username=self._login.username,
                    password=self._login.password,
                    client_keys=keys,
                    keepalive_interval=30,
                )
                self._sftp = await self._connection.start_sftp_client(path_errors="surrogateescape")
        except (asyncssh.Error, OSError, TimeoutError) as error:
            await self.aclose()
            self._refuse(operation, error, door.shown)
        return self._sftp

    def _refuse(self, operation: str, error: Exception, shown: str) -> NoReturn:
        """Say why no session could be opened."""
        where = f"{self._host}:{self._port}"
        match error:
            case asyncssh.HostKeyNotVerifiable():
                reason = (
                    f"{operation}: {where} shows the host key {shown or 'of a kind we do not know'}, not the pinned"
                )
                step = "Ask the partner whether the key is theirs. If so, put it into the connection's host_keys."
                raise Interrupted(NeedsPerson(reason=reason, next_step=step)) from error
            case asyncssh.PermissionDenied():
                raise Interrupted(Unauthorised(reason=f"{operation}: {where} refused the log-in")) from error
            case asyncssh.DisconnectError(code=asyncssh.DISC_TOO_MANY_CONNECTIONS):
                reason = f"{operation}: {where} has too many connections"
                raise Interrupted(RetryLater(reason=reason, at=self._clock() + CROWDED)) from error
            case _:
                reason = f"{operation}: cannot reach {where} ({type(error).__name__})"
                raise Interrupted(RetryLater(reason=reason)) from error


def _said(operation: str, error: asyncssh.SFTPError) -> RetryLater | NeedsPerson:
    """What a server's refusal means: a right or an ability that it lacks does not come by itself."""
    match error:
        case asyncssh.SFTPPermissionDenied():
            step = "Give the log-in this right at the server, then retry."
            return NeedsPerson(reason=f"{operation}: permission denied", next_step=step)
        case asyncssh.SFTPOpUnsupported():
            lacks = f"the server does not support {error.reason or 'this operation'}"
            step = "Have the partner allow it at the server, or trade files over another server; then retry."
            return NeedsPerson(reason=f"{operation}: {lacks}", next_step=step)
        case _:
            return RetryLater(reason=f"{operation}: the server says {error.reason!r}")


async def _rename(sftp: asyncssh.SFTPClient, path: str, to: str) -> None:
    try:
        await sftp.rename(path, to)
    except asyncssh.SFTPOpUnsupported as error:
        # Whatever the server calls it: files are claimed, put away and given their names by nothing else.
        raise asyncssh.SFTPOpUnsupported("renaming files") from error


async def _whole(sftp: asyncssh.SFTPClient, path: str) -> bytes:
    async with sftp.open(path, "rb") as file:
        found: bytes = await file.read()
    return found


def _fingerprint(key: str) -> str:
    """Of a pinned key, however it is written. Raises `KeyImportError`."""
    return key if key.startswith("SHA256:") else asyncssh.import_public_key(key).get_fingerprint("sha256")
