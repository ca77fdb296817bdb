"""A database of the run's own, freshly made, and the processes of a hub over it."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from hub.domain.ids import id_source
from hub.embedded import Engines, PostgresEngine, create_database, drop_database
from hub.processes import children
from hub.settings import Backoff, Settings, make_data_dir
from hub.store.admin.tokens import Role, create_token
from hub.store.database import Database
from hub.store.schema import upgrade
from hub.supervisor import Child, PortTaken, require_free_port

DATABASE: Final = "demo"
SETTINGS_FILE: Final = "demo.toml"

QUICK: Final = Backoff(schedule_seconds=(0.2, 0.5, 1.0, 2.0, 5.0), cap_seconds=5.0, max_attempts=60)
"""A partner's bad minute is over in seconds here; nobody is there to attend to what was given up."""

KEPT: Final = (
    "max_body_bytes",
    "batch_size",
    "sweep_seconds",
    "lease_seconds",
    "raw_retention_days",
    "delivery_concurrency",
)
"""The installation's own choices that its demo keeps. Addresses and the key go by environment."""


class NotEmpty(Exception):
    """The configured database is in use: a demo would mix its orders with real ones."""


def start_engines(settings: Settings) -> Engines:
    """Engines, with a fresh database where the embedded one serves. Blocks."""
    engines = Engines.start(settings)
    postgres = next((engine for engine in engines.running if isinstance(engine, PostgresEngine)), None)
    if postgres is not None:
        try:
            drop_database(postgres, DATABASE)
            engines.database_url = create_database(postgres, DATABASE)
        except BaseException:
            engines.stop()
            raise
    return engines


async def prepare_database(database: Database, url: str) -> str:
    """Bring the schema up to date and make a token; answers the token. Raises `NotEmpty`."""
    await upgrade(url)
    async with database.transaction() as connection:
        if await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM customer_order) OR EXISTS (SELECT 1 FROM connection)"
        ):
            raise NotEmpty("the configured database holds connections or orders; give the demo an empty one")
        new_id = id_source(lambda: datetime.now(UTC))
        made = await create_token(connection, merchant="default", name="demo", role=Role.ADMIN, new_id=new_id)
    return made.token


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or any free one when it is taken or 0."""
    try:
        require_free_port(host, wanted)
    except PortTaken:
        wanted = 0
    if wanted:
        return wanted
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the hub's web process listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """As somebody on this machine writes it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


async def processes(settings: Settings, address: Address, engines: Engines) -> list[Child]:
    """Web and workers as `crossdock up` runs them, told to be quick and quiet by a settings file of their own."""
    file = await asyncio.to_thread(_write_settings, settings)
    one_web = msgspec.structs.replace(settings, web=1, workers=max(1, settings.workers))
    extra = {"CROSSDOCK_CONFIG": str(file)}
    if settings.secret_key is not None:
        extra["CROSSDOCK_SECRET_KEY"] = settings.secret_key
    return [
        msgspec.structs.replace(child, env={**child.env, **extra})
        for child in children(one_web, address.host, address.port, engines)
    ]


def _write_settings(settings: Settings) -> Path:
    kept = {name: getattr(settings, name) for name in KEPT}
    file = make_data_dir(settings.data_dir).resolve() / SETTINGS_FILE
    lines = [f"{name} = {_toml(value)}" for name, value in {**kept, "log_level": "error"}.items()]
    backoff = msgspec.to_builtins(QUICK)
    lines += ["", "[backoff]", *(f"{name} = {_toml(value)}" for name, value in backoff.items()), ""]
    file.write_text("\n".join(lines), "utf-8")
    return file


def _toml(value: object) -> str:
    """Numbers, words and lists of numbers are written the same in TOML as in JSON."""
    return msgspec.json.encode(value).decode()


def counted(counts: Mapping[str, int]) -> str:
    """Counts in words."""
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"
