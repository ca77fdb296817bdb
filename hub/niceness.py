"""How nice a process is: whoever answers a vendor goes first where both want a core."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

WORKER_NICENESS: Final = 5
"""A delivery waits for its answer, a batch does not."""

AUTOGROUP: Final = Path("/proc/self/autogroup")
"""Where Linux keeps the niceness of a whole session; missing where sessions are not scheduled as groups."""


def give_way() -> None:
    """Let others go first on a busy machine: this process among its own, and its session among sessions.

    The supervisor gives each child a session of its own, and a kernel that shares cores out between sessions looks at
    the session's niceness alone. One that is shared, as a person's shell, is left as it is.
    """
    os.nice(WORKER_NICENESS)
    if os.getsid(0) == os.getpid():
        # Refused to some containers, and soon after the last change.
        with suppress(OSError):
            AUTOGROUP.write_text(str(WORKER_NICENESS))
