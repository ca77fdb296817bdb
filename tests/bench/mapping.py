"""What mapping a Shopify order of 4 lines and some 11 kB costs, beside the floor: decoding the same bytes untyped."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec

from adapters.shopify.translate import FUNCTIONS
from hub.mapping.compile import compile_mapping
from hub.mapping.overlay import compile_overlay
from hub.mapping.tables import CodeTables, load_tables
from tests.unit.mapping.shopify_orders import order_bytes, shopify_order

LIMIT_US: Final = 150.0
ORDERS: Final = 200
ROUNDS: Final = 10

_MAPPINGS: Final = Path(__file__).resolve().parents[2] / "mappings" / "shopify"
_OVERLAY: Final = """
[set]
"content.customer_group" = 'order.content.source == "web" ? "retail" : "other"'
"lines[].sku" = 'line.sku == null ? item.title : line.sku'
"""


def measure() -> dict[str, float]:
    """Median microseconds per order over many different orders; `limit_us` is what the mapping may take."""
    text = (_MAPPINGS / "order.toml").read_text()
    tables = CodeTables(load_tables((_MAPPINGS / "tables.toml").read_text()))
    mapping = compile_mapping(text, FUNCTIONS, tables)
    overlaid = compile_mapping(text, FUNCTIONS, tables, compile_overlay(_OVERLAY))
    bodies = [order_bytes(shopify_order(seed)) for seed in range(ORDERS)]
    assert not any(mapping(body).problems for body in bodies), "the benchmark maps sound orders"
    return {
        "bytes": statistics.median(map(len, bodies)),
        "lines": len(mapping(bodies[0]).content.lines),
        "floor_untyped_decode_us": _median_us(msgspec.json.decode, bodies),
        "map_us": _median_us(mapping, bodies),
        "map_with_care_us": _median_us(mapping.read_with_care, bodies),
        "map_with_overlay_us": _median_us(overlaid, bodies),
        "limit_us": LIMIT_US,
    }


def _median_us(work: Callable[[bytes], object], bodies: list[bytes]) -> float:
    """Each body is timed on its own, so that a neighbour's burst moves the tail and not the median."""
    taken = []
    for _ in range(ROUNDS):
        for body in bodies:
            start = perf_counter()
            work(body)
            taken.append(perf_counter() - start)
    return round(statistics.median(taken) * 1e6, 1)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
