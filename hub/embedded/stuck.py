"""A Postgres that lives and will never serve again.

When a process is killed while the server recovers from another's end, the postmaster of Postgres 18 may wait for ever
for something that nobody does any more; it refuses every session "in recovery mode". Found by fault seed 26.
"""

import contextlib
from pathlib import Path
from typing import Final

BUSY: Final = ("startup", "walwriter")
"""A server that recovers has the first of these processes, one that serves the second."""
STUCK_SECONDS: Final = 10.0
"""Longer than the 5 s after which a postmaster kills what does not leave."""


class Watch:
    """Looks at a server's processes from time to time. Where there is no /proc, nothing is ever found stuck."""

    def __init__(self) -> None:
        self._idle_since: float | None = None

    def is_stuck(self, pid: int, now: float) -> bool:
        """Whether the server had neither of the two processes for too long; `now` in seconds of a steady clock."""
        if not Path(f"/proc/{pid}/task").exists() or _is_busy(pid):
            self._idle_since = None
            return False
        if self._idle_since is None:
            self._idle_since = now
        return now - self._idle_since > STUCK_SECONDS


def _is_busy(pid: int) -> bool:
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split():
            with contextlib.suppress(OSError):
                title = Path(f"/proc/{child}/cmdline").read_text("utf-8", "replace")
                if any(word in title for word in BUSY):
                    return True
        return False
    # Gone meanwhile, or a kernel without this list: no reason to think it stuck.
    return True
