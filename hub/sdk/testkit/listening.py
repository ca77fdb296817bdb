"""Hears all that code says while it runs: structlog, the standard library's logging, and what it prints."""

import contextlib
import io
import logging
from collections.abc import Iterator

from structlog.testing import capture_logs


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """Collect what is said inside the block; the list is complete when the block ends."""
    lines: list[str] = []
    printed = io.StringIO()
    handler = _Collecting(lines)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with capture_logs() as events, contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    lines.extend(repr(event) for event in events)
    lines.append(printed.getvalue())


class _Collecting(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(f"{record.name} {record.getMessage()} {record.exc_info or ''}")
