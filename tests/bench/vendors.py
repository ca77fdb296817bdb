"""What reading a message costs, vendor by vendor: the samples of every adapter, through its shipped mapping files.

An adapter that is added is measured without being named here: its harness has the samples.
"""

import statistics
from collections.abc import Callable, Sequence
from importlib import import_module
from time import perf_counter
from typing import Any, Final

from hub.flow.reading import compile_reader
from hub.registry import find_adapters, mapping_text
from hub.sdk.testkit.harness import AnyHarness

ROUNDS: Final = 200


def measure() -> list[dict[str, Any]]:
    """Median microseconds of reading each topic's sample, decode included: {vendor, topic, bytes, us}."""
    found = []
    for name in sorted(find_adapters()):
        harness: AnyHarness = import_module(f"adapters.{name}.harness").HARNESS
        read = compile_reader(harness.adapter, mapping_text, overlay=None, own=harness.tables or {})
        seen: set[str] = set()
        for sample in harness.samples:
            if sample.topic in seen or harness.adapter.topics[sample.topic].ignore:
                continue
            seen.add(sample.topic)
            if not any(read(sample.topic, sample.body)):
                continue
            us = _median_us(read, sample.topic, sample.body)
            found.append({"vendor": name, "topic": sample.topic, "bytes": len(sample.body), "us": us})
    return found


def _median_us(read: Callable[[str, bytes], Sequence[object]], topic: str, body: bytes) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = perf_counter()
        read(topic, body)
        taken.append(perf_counter() - start)
    return round(statistics.median(taken) * 1e6, 1)


if __name__ == "__main__":
    for row in measure():
        print(row)
