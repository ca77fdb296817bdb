"""Errors of the command line: one line that says what to do, exit code 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from hub.embedded import EngineError, FolderInUse
from hub.settings import SettingsError
from hub.supervisor import PortTaken

EXPECTED = (SettingsError, EngineError, FolderInUse, PortTaken)


@contextmanager
def in_one_line() -> Iterator[None]:
    """Say what a user can mend in one line on stderr and exit with 1."""
    try:
        yield
    except EXPECTED as error:
        print(f"crossdock: {error}", file=sys.stderr)
        sys.exit(1)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        print(f"crossdock: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
