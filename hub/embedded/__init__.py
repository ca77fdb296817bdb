"""Local Postgres and Valkey, from the programs in two wheels, for whoever configured no database or queue URL."""

from hub.embedded.engines import Engine, Engines, FolderLock
from hub.embedded.errors import EngineError, FolderInUse
from hub.embedded.postgres import PostgresEngine, create_database, drop_database, find_postgres, start_postgres
from hub.embedded.valkey import ValkeyEngine, find_valkey, start_valkey

__all__ = [
    "Engine",
    "EngineError",
    "Engines",
    "FolderInUse",
    "FolderLock",
    "PostgresEngine",
    "ValkeyEngine",
    "create_database",
    "drop_database",
    "find_postgres",
    "find_valkey",
    "start_postgres",
    "start_valkey",
]
