"""How the embedded Postgres is set: one table, written anew at every start."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

TUNING: Final[Mapping[str, str]] = {
    # Truth. A commit that was answered survives a power cut.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # A full page image follows each checkpoint: compressed, the log of a busy minute is about half as long.
    # The wheel is built without lz4 and zstd, so "on" (pglz) is what every build takes.
    "wal_compression": "on",
    # Rare checkpoints, spread out: the hot path writes the same pages again and again.
    "checkpoint_timeout": "15min",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    # A new 16 MB piece of the log is not filled with zeroes first: that held up every commit for 70 to 350 ms, once a
    # second in a busy hub. Writing into the empty file costs a commit no more than writing over zeroes (measured).
    "wal_init_zero": "off",
    # Reach: a socket in a folder that only the engines' user (and root) may enter. No port for other local users.
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # Memory for a laptop: the working set of the hub is its unfinished orders.
    "shared_buffers": "256MB",
    # Short statements, many of them: compiling a plan or starting helpers costs more than it saves, and containers
    # often have a /dev/shm too small for parallel plans.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "random_page_cost": "1.1",
    # Each session reads for itself. When a reading process of Postgres 18 is killed while the server recovers, the
    # server does not notice, and every session waits for ever for the page that was asked of it (fault seed 26).
    "io_method": "sync",
    # A worker killed in the middle of a wait must not hold its locks until the wait is over.
    "client_connection_check_interval": "1s",
    # idle_in_transaction_session_timeout is missing on purpose: the hub sets it on its own connections, a person
    # with psql needs no such hurry.
    # Queue tables turn over quickly: vacuum small and often.
    "autovacuum": "on",
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_cost_delay": "1ms",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    # The details of an error quote the row, and statements quote values: personal data never reaches a log line.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "cluster_name": "crossdock",
}

NOT_DURABLE: Final[Mapping[str, str]] = {
    # For tests only: what was committed survives a killed server, not a killed machine. synchronous_commit stays on:
    # without it a commit may still be in the server's own memory when the server is killed.
    "fsync": "off",
    "full_page_writes": "off",
}


def configuration(sockets: Path, *, durable: bool) -> str:
    """The text of a Postgres configuration file with these settings and this folder for the socket."""
    settings = {**TUNING, **({} if durable else NOT_DURABLE), "unix_socket_directories": _listed(sockets)}
    return "".join(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items())


def _listed(folder: Path) -> str:
    # The value is a list of names: a comma or a space inside one needs quotes.
    return '"' + str(folder).replace('"', '""') + '"'
