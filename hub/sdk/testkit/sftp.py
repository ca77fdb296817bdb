"""A partner's SFTP server on loopback, its disk in memory: base of the simulators of whatever speaks in files."""

import stat
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from posixpath import join, normpath, split
from typing import Any, Final

import asyncssh
import msgspec

from hub.sdk.testkit.simulator import Fault, Simulator

TOO_MANY: Final = asyncssh.DISC_TOO_MANY_CONNECTIONS


class Stored(msgspec.Struct, kw_only=True):
    """A file's content, and when it was last written."""

    body: bytes
    modified_at: datetime
    locked: bool = False
    """It may be listed and moved, and not read."""


class SftpSimulator(Simulator):
    """Accepts one user by password, or by a key of `client_keys` (OpenSSH public keys).

    `disk` holds the files by whole path ("/in/orders.csv"), `folders` what can hold them: tests read and write both.
    Faults befall opening, listing, renaming, removing, reading attributes and making folders: `server_error` answers a
    failure before acting, `lost_reply` acts and breaks the connection, `throttle` and "too many connections" end it.
    `limit_sessions` is how many log-ins may be open at once; a further one is a violation.
    """

    vendor = "sftp"

    def __init__(
        self,
        *,
        username: str = "crossdock",
        password: str = "sftp-conformance-password",
        folders: tuple[str, ...] = (),
        client_keys: tuple[str, ...] = (),
        limit_sessions: int = 1,
        **base: Any,
    ) -> None:
        super().__init__(**base)
        self.username, self.password = username, password
        self.client_keys = client_keys
        self.disk: dict[str, Stored] = {}
        self.folders: set[str] = {"/", *(normpath(join("/", folder)) for folder in folders)}
        self.limit_sessions = limit_sessions
        self.sessions: set[asyncssh.SSHServerConnection] = set()
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self._listener: asyncssh.SSHAcceptor | None = None

    @property
    def host_key(self) -> str:
        """Fingerprint of the server's key, to be pinned."""
        return self.key.get_fingerprint("sha256")

    def drop(self, path: str, body: bytes) -> None:
        """A file as the partner puts it there, whole at once; its folder is made."""
        path = normpath(join("/", path))
        self.folders.add(split(path)[0])
        self.disk[path] = Stored(body=body, modified_at=self.now())

    def within(self, folder: str) -> dict[str, bytes]:
        """Contents of a folder by file name."""
        folder = normpath(join("/", folder))
        return {split(path)[1]: file.body for path, file in self.disk.items() if split(path)[0] == folder}

    async def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 and return the base URL."""
        self._listener = await asyncssh.listen(
            "127.0.0.1",
            port,
            server_factory=lambda: _Door(self),
            sftp_factory=lambda channel: _Shelf(channel, self),
            server_host_keys=[self.key],
            config=None,
        )
        self.base_url = f"sftp://127.0.0.1:{self._listener.get_port()}"
        return self.base_url

    async def stop(self) -> None:
        """Stop listening and break what is open."""
        for session in tuple(self.sessions):
            session.abort()
        if self._listener is not None:
            self._listener.close()
            await self._listener.wait_closed()
        await super().stop()

    def fault(self, operation: str) -> Fault | None:
        """What befalls the next operation."""
        self.calls[operation] += 1
        return self._next_fault()


class _Door(asyncssh.SSHServer):
    """Who may come in."""

    def __init__(self, simulator: SftpSimulator) -> None:
        self._simulator = simulator
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._simulator.sessions.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._simulator.sessions.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        # Not earlier: the end of the last session may be read after the beginning of the next.
        books = self._simulator
        if len(books.sessions) > books.limit_sessions:
            books.violations.append(f"{len(books.sessions)} sessions at once, {books.limit_sessions} may")
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (self._simulator.username, self._simulator.password)

    def public_key_auth_supported(self) -> bool:
        return bool(self._simulator.client_keys)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        known = (asyncssh.import_public_key(text).get_fingerprint() for text in self._simulator.client_keys)
        return username == self._simulator.username and key.get_fingerprint() in known


class _Open:
    """An open file."""

    def __init__(self, file: Stored, path: str, *, append: bool) -> None:
        self.file, self.path, self.append = file, path, append


class _Shelf(asyncssh.SFTPServer):
    """The disk as SFTP shows it. Renaming onto a file that exists fails, as version 3 of the protocol says."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", simulator: SftpSimulator) -> None:
        super().__init__(channel)
        self._channel_of = channel
        self._books = simulator

    def _act(self, operation: str, act: Callable[[], Any]) -> Any:
        connection = self._channel_of.get_connection()
        match self._books.fault(operation):
            case "server_error":
                raise asyncssh.SFTPFailure("the disk is not there just now")
            case "throttle":
                connection.disconnect(TOO_MANY, "too many connections")
                raise asyncssh.SFTPFailure("too many connections")
            case "lost_reply":
                try:
                    return act()
                finally:
                    connection.abort()
            case None:
                return act()

    def _path(self, path: bytes) -> str:
        return normpath(join("/", path.decode(errors="surrogateescape")))

    def _file(self, path: str) -> Stored:
        found = self._books.disk.get(path)
        if found is None:
            raise asyncssh.SFTPNoSuchFile(f"no file {path}")
        return found

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        return self._act("open", lambda: self._open(self._path(path), pflags))

    def _open(self, path: str, pflags: int) -> _Open:
        if pflags & asyncssh.FXF_CREAT:
            if split(path)[0] not in self._books.folders:
                raise asyncssh.SFTPNoSuchFile(f"no folder {split(path)[0]}")
            if path not in self._books.disk or pflags & asyncssh.FXF_TRUNC:
                self._books.disk[path] = Stored(body=b"", modified_at=self._books.now())
        if self._file(path).locked:
            raise asyncssh.SFTPPermissionDenied(f"{path} is another user's")
        return _Open(self._file(path), path, append=bool(pflags & asyncssh.FXF_APPEND))

    def close(self, file_obj: object) -> None:
        return None

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        assert isinstance(file_obj, _Open)
        return file_obj.file.body[offset : offset + size]

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        assert isinstance(file_obj, _Open)
        file = file_obj.file
        at = len(file.body) if file_obj.append else offset
        file.body = file.body[:at].ljust(at, b"\0") + data + file.body[at + len(data) :]
        file.modified_at = self._books.now()
        return len(data)

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        attrs: asyncssh.SFTPAttrs = self._act("stat", lambda: self._stat(self._path(path)))
        return attrs

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self.stat(path)

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        assert isinstance(file_obj, _Open)
        return _attributes(file_obj.file)

    def _stat(self, path: str) -> asyncssh.SFTPAttrs:
        return _attributes(None) if path in self._books.folders else _attributes(self._file(path))

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        return None

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        return None

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        for name in self._act("list", lambda: self._names(self._path(path))):
            yield name

    def _names(self, folder: str) -> list[asyncssh.SFTPName]:
        if folder not in self._books.folders:
            raise asyncssh.SFTPNoSuchFile(f"no folder {folder}")
        inner = [(split(path)[1], None) for path in self._books.folders if path != "/" and split(path)[0] == folder]
        files = [(split(path)[1], file) for path, file in self._books.disk.items() if split(path)[0] == folder]
        return [
            asyncssh.SFTPName(name.encode(errors="surrogateescape"), attrs=_attributes(file))
            for name, file in (*inner, *files)
        ]

    def remove(self, path: bytes) -> None:
        self._act("remove", lambda: self._remove(self._path(path)))

    def _remove(self, path: str) -> None:
        self._file(path)
        del self._books.disk[path]

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._act("mkdir", lambda: self._books.folders.add(self._path(path)))

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._act("rename", lambda: self._rename(self._path(oldpath), self._path(newpath)))

    def _rename(self, old: str, new: str) -> None:
        file = self._file(old)
        if new in self._books.disk or split(new)[0] not in self._books.folders:
            raise asyncssh.SFTPFailure(f"{new} is there, or has no folder")
        self._books.disk[new] = file
        del self._books.disk[old]

    def realpath(self, path: bytes) -> bytes:
        return self._path(path).encode(errors="surrogateescape")


def _attributes(file: Stored | None) -> asyncssh.SFTPAttrs:
    """Of a file; None is a folder."""
    if file is None:
        return asyncssh.SFTPAttrs(permissions=stat.S_IFDIR | 0o755, size=0, uid=0, gid=0, atime=0, mtime=0)
    at = int(file.modified_at.astimezone(UTC).timestamp())
    mode = stat.S_IFREG | 0o644
    return asyncssh.SFTPAttrs(permissions=mode, size=len(file.body), uid=0, gid=0, atime=at, mtime=at)
