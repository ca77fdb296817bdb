"""The long version: lives by seed, each seed in a hub of its own.

`python -m tests.property.life.run --seed 3` replays a seed.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Final
from unittest import mock

import structlog

from hub.embedded import create_database, drop_database
from hub.store.schema import upgrade
from hub.web import grouping, webhooks
from tests.bench.running import RunningHub
from tests.property.life.machine import live

RUNS: Final = 20
"""Lives of a seed."""
STEPS: Final = 50


async def live_long(seeds: Iterable[int], *, runs: int = RUNS, steps: int = STEPS) -> str:
    """Live the lives of these seeds, and say what was done. Raises what a life finds, noting its seed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    lives = taken = 0
    async with RunningHub() as hub:
        for seed in seeds:
            started, name = time.monotonic(), f"life_{seed}"
            url = create_database(hub.postgres, name)
            await upgrade(url)
            try:
                did = await asyncio.to_thread(_one, url, hub, seed, runs, steps)
            except BaseException as error:
                error.add_note(f"life: seed {seed}; replay with python -m tests.property.life.run --seed {seed}")
                raise
            drop_database(hub.postgres, name)
            lives, taken = lives + did[0], taken + did[1]
            print(f"life: seed {seed}: {did[0]} runs, {did[1]} steps, {time.monotonic() - started:.0f} s", flush=True)
    return f"{lives} runs, {taken} steps"


def _one(url: str, hub: RunningHub, seed: int, runs: int, steps: int) -> tuple[int, int]:
    # One loop serves partners, workers and the web: it waits longer for its database than a hub would.
    with (
        mock.patch.object(grouping, "PATIENCE_SECONDS", 15.0),
        mock.patch.object(grouping, "COMMIT_SECONDS", 15.0),
        mock.patch.object(webhooks, "PATIENCE_SECONDS", 15.0),
    ):
        return live((url, hub.engines.queue_url), hub.folder, runs=runs, steps=steps, chosen=seed)


def main() -> None:
    """Replay one seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--steps", type=int, default=STEPS)
    chosen = parser.parse_args()
    print(asyncio.run(live_long([chosen.seed], runs=chosen.runs, steps=chosen.steps)))


if __name__ == "__main__":
    main()
