"""Units of measure: figures come in cases and pallets, the ledger counts in the item's base unit."""

from collections.abc import Mapping


class UnknownUnit(ValueError):
    """The item has no such unit: nothing is guessed. The message names the units it has."""


def base_units(units: int, unit: str | None, *, base_unit: str, conversions: Mapping[str, int]) -> int:
    """`units` of `unit` in the base unit; no unit means the base unit. Raises `UnknownUnit`."""
    if unit is None or unit == base_unit:
        return units
    if unit not in conversions:
        known = ", ".join([base_unit, *sorted(conversions)])
        raise UnknownUnit(f"no unit {unit!r}; the item has {known}")
    return units * conversions[unit]
