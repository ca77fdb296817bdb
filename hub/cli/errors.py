"""Errors of the command line: one line that says what to do, exit code 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from hub.embedded import EngineError, FolderInUse
from hub.settings import SettingsError
from hub.store.database import FAULTS
from hub.supervisor import PortTaken

EXPECTED = (SettingsError, EngineError, FolderInUse, PortTaken)

NO_SCHEMA: Final = (
    "this database has no schema yet: run `crossdock db upgrade` (`crossdock up` does so). "
    "The demo keeps a database of its own"
)


@contextmanager
def in_one_line() -> Iterator[None]:
    """Say what a user can mend in one line on stderr and exit with 1."""
    try:
        yield
    except EXPECTED as error:
        print(f"crossdock: {error}", file=sys.stderr)
        sys.exit(1)
    except asyncpg.UndefinedTableError as error:
        print(f"crossdock: {NO_SCHEMA} ({error})", file=sys.stderr)
        sys.exit(1)
    except FAULTS as error:
        print(f"crossdock: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
