"""Bells open one connection to the queue, and none after their end."""

import asyncio
from typing import Any

import pytest

from hub.worker import bell
from hub.worker.bell import Bells


class Queue:
    """A queue that counts."""

    def __init__(self) -> None:
        self.opened = self.closed = self.rung = 0

    async def open(self, *settings: Any, **more: Any) -> "Queue":
        self.opened += 1
        await asyncio.sleep(0)
        return self

    async def enqueue_job(self, *arguments: Any, **more: Any) -> None:
        self.rung += 1

    async def aclose(self) -> None:
        self.closed += 1


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    """What `Bells` take for the queue."""
    made = Queue()
    monkeypatch.setattr(bell, "create_pool", made.open)
    return made


async def test_lanes_rung_at_once_share_one_connection(queue: Queue) -> None:
    bells = Bells("redis://127.0.0.1:9/0")
    for lane in ("orders", "facts", "fetch"):
        bells.ring(lane)
    await asyncio.sleep(0.02)
    await bells.close()
    assert (queue.opened, queue.rung, queue.closed) == (1, 3, 1)


async def test_a_ring_that_is_due_after_the_end_opens_nothing(queue: Queue) -> None:
    bells = Bells("redis://127.0.0.1:9/0")
    bells.ring("orders")
    await bells.close()
    await asyncio.sleep(0.02)
    assert (queue.opened, queue.rung) == (0, 0)
