"""A hub as `crossdock up` runs it, whose processes can be given wrong clocks and impatience."""

import asyncio
import sys
from pathlib import Path
from typing import Final

import msgspec

from hub.supervisor import Child
from tests.bench.running import RunningHub
from tests.faults.child import CLOCK_VARIABLE, PATIENCE_VARIABLE, set_clock

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS: Final = 2.5
"""Longest wait for a vendor's answer in a fault run."""


class FaultyHub(RunningHub):
    """Children are `tests.faults.child`, each with a clock file of its own."""

    def clock(self, child: str) -> Path:
        """The file that says how wrong the clock of a child is."""
        return self.folder / f"clock-{child}"

    def set_clocks(self, seconds: float, *children: str) -> None:
        """Put the clocks of these children (all, when none is named) ahead by so much, or back."""
        files = [self.clock(name) for name in children] or list(self.folder.glob("clock-*"))
        for file in files:
            set_clock(file, seconds)

    async def until_told_to_stop(self) -> None:
        """Wait for the signal on which the hub's processes end; it reaches nobody else."""
        assert self._running is not None
        await asyncio.shield(self._running)

    def _logging(self, child: Child) -> Child:
        set_clock(self.clock(child.name), 0.0)
        env = {
            **child.env,
            CLOCK_VARIABLE: str(self.clock(child.name)),
            PATIENCE_VARIABLE: str(PATIENCE_SECONDS),
            "PYTHONPATH": str(ROOT),
        }
        argv = tuple("tests.faults.child" if word == "hub.cli.main" else word for word in child.argv)
        assert argv[0] == sys.executable
        return super()._logging(msgspec.structs.replace(child, argv=argv, env=env))
