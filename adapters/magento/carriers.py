"""Carriers, as Magento codes them: the table `carrier_code` of `mappings/magento/tables.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

TABLES: Final = Path(__file__).parents[2] / "mappings" / "magento" / "tables.toml"
OTHER: Final = "custom"
"""A code that the store does not know breaks its tracking page; the title names the carrier."""


def carrier_code(carrier: str | None) -> str:
    """The store's code of a carrier."""
    return _codes().get((carrier or "").strip().lower().replace(" ", "_").replace("-", "_"), OTHER)


@cache
def _codes() -> Mapping[str, str]:
    table: Mapping[str, str] = tomllib.loads(TABLES.read_text("utf-8"))["carrier_code"]
    return table
