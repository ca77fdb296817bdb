"""Progress on stderr: bars on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hub.demo.rest import Look

STAGES: Final = ("placed", "in the hub", "left the nodes", "at rest")
LINE_SECONDS: Final = 5.0


class Story:
    """Tells how far a run is."""

    def __init__(self, orders: int) -> None:
        self.console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description:>15}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=self.console, disable=not self.console.is_terminal, transient=False)
        self._tasks: list[TaskID] = [self._bars.add_task(stage, total=orders) for stage in STAGES]
        self._told = 0.0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """A line of its own."""
        self.console.print(text, soft_wrap=True)

    def show(self, placed: int, look: Look) -> None:
        """Show how far it is."""
        rest = look.orders - look.fates.get("moving", 0)
        numbers = (placed, look.orders, look.left, rest)
        for task, number in zip(self._tasks, numbers, strict=True):
            self._bars.update(task, completed=number)
        if not self.console.is_terminal and time.monotonic() - self._told > LINE_SECONDS:
            self._told = time.monotonic()
            stages = ", ".join(f"{number} {stage}" for stage, number in zip(STAGES, numbers, strict=True))
            due = ", ".join(f"{number} {queue}" for queue, number in look.due.items() if number)
            self.say(f"{stages}; due: {due or 'nothing'}")
