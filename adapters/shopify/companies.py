"""Carriers, as Shopify spells them: the table `tracking_company` of `mappings/shopify/tables.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

TABLES: Final = Path(__file__).parents[2] / "mappings" / "shopify" / "tables.toml"


def company(carrier: str) -> str:
    """The word with which Shopify makes a link; a carrier it does not list is passed as it is, for people to read."""
    return _companies().get(carrier.strip().lower().replace(" ", "_").replace("-", "_"), carrier)


@cache
def _companies() -> Mapping[str, str]:
    table: Mapping[str, str] = tomllib.loads(TABLES.read_text("utf-8"))["tracking_company"]
    return table
