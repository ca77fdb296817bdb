"""One strict settings struct, read from one TOML file and overridden by `CROSSDOCK_*` variables."""

import base64
import binascii
import difflib
import os
import stat
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

PREFIX: Final = "CROSSDOCK_"
FILE_VARIABLE: Final = "CROSSDOCK_CONFIG"
DEFAULT_FILE: Final = "crossdock.toml"
SECRET_KEY_BYTES: Final = 32
SECRET_KEY_FILE: Final = "secret.key"
SCHEMES: Final[Mapping[str, tuple[str, ...]]] = {
    "database_url": ("postgresql://", "postgres://"),
    "queue_url": ("redis://", "rediss://", "unix://"),
    "public_url": ("http://", "https://"),
}

Count = Annotated[int, msgspec.Meta(ge=1)]
CountOrNone = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
LogLevel = Literal["debug", "info", "warning", "error"]


class SettingsError(Exception):
    """A setting that cannot be used; the message is one line that names the key and where it was found."""


class Backoff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a failed delivery waits before its next try."""

    schedule_seconds: Annotated[tuple[Seconds, ...], msgspec.Meta(min_length=1)] = (5, 30, 120, 600, 3600, 14400, 43200)
    """Pause after the first, second, ... failure; the last one repeats."""
    jitter: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.2
    """Share of a pause by which it is lengthened or shortened at random."""
    cap_seconds: Seconds = 43200
    """No pause is longer, whatever the vendor's Retry-After says; nor is that of a vendor that is down."""
    max_attempts: Count = 12
    """After so many failures the effect is parked for a person."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything an installation may choose. No URL for an engine means: run the embedded one in `data_dir`."""

    database_url: str | None = None
    queue_url: str | None = None
    data_dir: Path = Path(".crossdock")
    secret_key: str | None = None
    """32 bytes in base64; read it through `secret_keys()`, which makes one when absent."""
    other_secret_keys: str | None = None
    """Keys that only open, with commas or spaces between them: older ones, and at first the next one (rotation)."""
    public_url: str | None = None
    """Where vendors reach this hub, without a trailing slash: some of them sign it."""
    host: str = "127.0.0.1"
    port: Port = 8080
    web: CountOrNone = 1
    """Web processes that `crossdock up` runs."""
    workers: CountOrNone = 2
    """Worker processes that `crossdock up` runs."""
    max_body_bytes: Count = 5 * 1024 * 1024
    """Longest webhook body taken. Large orders of shops with long metafields pass 2 MiB."""
    batch_size: Count = 100
    sweep_seconds: Seconds = 1.0
    lease_seconds: Count = 6
    """After this long others take over what a dead worker was sending; a batch of theirs may come before it."""
    delivery_concurrency: Count = 8
    raw_retention_days: Count = 90
    allow_private_subscribers: bool = False
    """Whether webhooks and mail may go to hosts of this machine and its private networks."""
    subscriber_patience_hours: Count = 120
    """A subscriber that takes nothing for so long is paused, and a person is told."""
    log_level: LogLevel = "info"
    backoff: Backoff = Backoff()

    @property
    def address(self) -> str:
        """Where people and vendors reach this hub, without a trailing slash."""
        return self.public_url or f"http://{self.host}:{self.port}"

    def __repr__(self) -> str:
        """Names of the settings that differ from their default; values stay out, for URLs and keys hold secrets."""
        changed = [name for name, value in msgspec.structs.asdict(self).items() if value != getattr(_DEFAULTS, name)]
        return f"Settings(changed: {', '.join(changed) or 'nothing'})"


_FIELDS: Final[Mapping[str, msgspec.structs.FieldInfo]] = {f.name: f for f in msgspec.structs.fields(Settings)}
_VARIABLES: Final[Mapping[str, str]] = {PREFIX + name.upper(): name for name in _FIELDS if name != "backoff"}
_DEFAULTS: Final = Settings()


def load(env: Mapping[str, str], path: Path | None) -> Settings:
    """Read `path` (no file when None), then let the variables of `env` override it.

    A relative `data_dir` counts from the file's folder when the file says it, else from the current folder.
    Raises SettingsError for an unknown key or variable, a value of the wrong type, and an unreadable file.
    """
    values = _from_file(path) if path is not None else {}
    values.update(_from_env(env))
    settings = Settings(**values)
    _check_urls(settings)
    if settings.public_url is not None:
        settings = msgspec.structs.replace(settings, public_url=settings.public_url.rstrip("/"))
    return settings


def find_file(env: Mapping[str, str], folder: Path = Path()) -> Path | None:
    """The settings file that applies: `$CROSSDOCK_CONFIG`, else `crossdock.toml` in `folder`, else None.

    Raises SettingsError when `$CROSSDOCK_CONFIG` names a file that is not there.
    """
    named = env.get(FILE_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise SettingsError(f"{FILE_VARIABLE} names {named}, which is not a file")
        return Path(named)
    found = folder / DEFAULT_FILE
    return found if found.is_file() else None


def from_environment() -> Settings:
    """The settings of this process: its environment and the file that applies."""
    return load(os.environ, find_file(os.environ))


def secret_key(settings: Settings) -> bytes:
    """The 32 bytes that seal stored secrets: the first of `secret_keys`."""
    return secret_keys(settings)[0]


def secret_keys(settings: Settings) -> tuple[bytes, ...]:
    """The key that seals, then those that only open: the configured one, else the lines kept in the data folder.

    Makes and keeps a key when there is none; processes that start together agree on one.
    Raises SettingsError when a key cannot be read or is not 32 bytes in base64.
    """
    others = PREFIX + "OTHER_SECRET_KEYS"
    listed = (settings.other_secret_keys or "").replace(",", " ").split()
    more = [_decode_key(text, f"{others}, key {no},") for no, text in enumerate(listed, 1)]
    if settings.secret_key is not None:
        own = [_decode_key(settings.secret_key, PREFIX + "SECRET_KEY")]
    else:
        own = _kept_keys(settings)
    return tuple(dict.fromkeys([*own, *more]))


def _kept_keys(settings: Settings) -> list[bytes]:
    path = make_data_dir(settings.data_dir) / SECRET_KEY_FILE
    try:
        if not path.exists():
            _keep_new_key(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise SettingsError(
                f"{path} can be read by others (mode {mode:04o}); chmod 600 it or set {PREFIX}SECRET_KEY"
            )
        lines = path.read_text("ascii", "replace").split() or [""]
        return [_decode_key(line, f"{path}, line {no}," if no > 1 else str(path)) for no, line in enumerate(lines, 1)]
    except OSError as error:
        raise SettingsError(
            f"secret key {path}: {error.strerror}; set {PREFIX}SECRET_KEY or {PREFIX}DATA_DIR"
        ) from error


def make_data_dir(folder: Path) -> Path:
    """Make the data folder unless it exists, and return it absolute with links resolved.

    A folder made here is closed to others. One made by root may be passed through, but not listed: the database
    below it runs as another user. An existing folder keeps its permissions.
    """
    folder = folder.expanduser() if folder.parts[:1] == ("~",) else folder
    try:
        folder = folder.resolve()
        if not folder.is_dir():
            folder.mkdir(parents=True)
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise SettingsError(f"data folder {folder}: {error.strerror}; set {PREFIX}DATA_DIR") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"data folder {folder} cannot be written by uid {os.geteuid()}; set {PREFIX}DATA_DIR")
    return folder


def give_to_owner(handle: int, folder: Path) -> None:
    """As root, give an open file just made in `folder` to the folder's owner, who may go on without root."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
    _refuse_unknown(table, list(_FIELDS), str(path))
    if isinstance(table.get("backoff"), dict):
        known = [f.name for f in msgspec.structs.fields(Backoff)]
        _refuse_unknown(table["backoff"], known, str(path), "backoff.")
    values = {key: _convert(value, key, f"{key} in {path}", strict=True) for key, value in table.items()}
    if "data_dir" in values and values["data_dir"].parts[:1] != ("~",):
        values["data_dir"] = path.parent / values["data_dir"]
    return values


def _from_env(env: Mapping[str, str]) -> dict[str, Any]:
    ours = {name: value for name, value in env.items() if name.startswith(PREFIX) and name != FILE_VARIABLE}
    _refuse_unknown(ours, [*_VARIABLES, FILE_VARIABLE], "the environment")
    if ours.get(PREFIX + "SECRET_KEY") == "":
        # A key lost on its way here must not be replaced silently: stored secrets could never be opened again.
        raise SettingsError(f"{PREFIX}SECRET_KEY is set but empty; unset it to use the key in the data folder")
    return {
        _VARIABLES[name]: _convert(value, _VARIABLES[name], name, strict=False) for name, value in ours.items() if value
    }


def _refuse_unknown(names: Mapping[str, object], known: Sequence[str], where: str, prefix: str = "") -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            raise SettingsError(f"unknown setting {prefix}{name} in {where}; the nearest known one is {prefix}{near}")


def _convert(value: object, key: str, name: str, *, strict: bool) -> Any:
    try:
        return msgspec.convert(value, _FIELDS[key].type, strict=strict, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{name}: {str(error).replace('`$.', '`').replace(' - at `$`', '')}") from error


def _decode_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError("Expected the name of a folder")


def _check_urls(settings: Settings) -> None:
    for key, schemes in SCHEMES.items():
        url = getattr(settings, key)
        if url is not None and not url.startswith(schemes):
            # The value itself is left out: it may hold a password.
            raise SettingsError(f"{key} must start with {' or '.join(schemes)}")


def _decode_key(text: str, name: str) -> bytes:
    try:
        key = base64.b64decode(text.translate(str.maketrans("-_", "+/")).rstrip("=") + "=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SettingsError(f"{name} is not base64") from error
    if len(key) != SECRET_KEY_BYTES:
        raise SettingsError(f"{name} holds {len(key)} bytes in base64, needs {SECRET_KEY_BYTES}")
    return key


def _keep_new_key(path: Path) -> None:
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(os.urandom(SECRET_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
            give_to_owner(file.fileno(), path.parent)
        # A link, not a rename: whoever comes second must keep the first one's key.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
