"""A batch that may lose a race is tried freely, then once more behind locks."""

import pytest

from hub.flow.ports import LostRace
from hub.worker.race import contended


@pytest.mark.parametrize(
    ("lost", "did", "locked"),
    [(0, 7, [False]), (1, 7, [False, True]), (2, 1, [False, True])],
    ids=["won", "won behind locks", "lost twice: there is still something to do"],
)
async def test_it_locks_only_after_a_lost_race(lost: int, did: int, locked: list[bool]) -> None:
    tries: list[bool] = []

    async def work(lock: bool) -> int:
        tries.append(lock)
        if len(tries) <= lost:
            raise LostRace("item 1 at node 1: 2 wanted, 0 free")
        return 7

    assert await contended("waiting", work) == did
    assert tries == locked
