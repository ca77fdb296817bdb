"""`searchCriteria`, as the REST API wants it. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

import msgspec

BY_ID: Final = (("entity_id", "ASC"),)
BY_SKU: Final = (("sku", "ASC"),)
BY_SOURCE: Final = (("source_code", "ASC"),)
BY_CHANGE: Final = (("updated_at", "ASC"), ("entity_id", "ASC"))


class Filter(msgspec.Struct, frozen=True):
    """One condition. `from` and `to` are not offered: the REST API ignores one of them (magento/magento2#27308)."""

    field: str
    condition: str
    value: str


Groups = Sequence[Sequence[Filter]]
"""All groups must hold; of a group, one filter."""


Sort = Sequence[tuple[str, str]]


def search(path: str, groups: Groups, sort: Sort, size: int, page: int = 1, fields: str = "") -> str:
    """Path and query of a list.

    The query is written out here, spaces as %20: the store reads its parameters with `rawurldecode` when it checks the
    signature, so that a "+" for a space would not match. Brackets are encoded once, as in the signed text.
    """
    pairs: list[tuple[str, str]] = []
    for group, filters in enumerate(groups):
        for place, one in enumerate(filters):
            name = f"searchCriteria[filterGroups][{group}][filters][{place}]"
            pairs += [(f"{name}[field]", one.field), (f"{name}[value]", one.value)]
            pairs.append((f"{name}[conditionType]", one.condition))
    for place, (field, direction) in enumerate(sort):
        pairs.append((f"searchCriteria[sortOrders][{place}][field]", field))
        pairs.append((f"searchCriteria[sortOrders][{place}][direction]", direction))
    pairs += [("searchCriteria[pageSize]", str(size)), ("searchCriteria[currentPage]", str(page))]
    if fields:
        pairs.append(("fields", fields))
    written = (f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    return f"{path}?{'&'.join(written)}"


def among(field: str, values: Iterable[object]) -> tuple[Filter, ...]:
    """One group: the field has one of the values. For ids only: the store splits the value at commas."""
    return (Filter(field, "in", ",".join(str(value) for value in values)),)


def any_of(field: str, values: Iterable[str]) -> tuple[Filter, ...]:
    """The same for text that may hold commas."""
    return tuple(Filter(field, "eq", value) for value in values)


def changed_after(updated_at: str, entity: int) -> Groups:
    """Everything that comes after (updated_at, entity_id) in that order.

    Two groups say it: updated_at >= T, and (updated_at > T or entity_id > N). So a scan never asks for a second page:
    pages shift while orders change under it, and a page past the end would repeat the last one (magento/magento2#3787).
    """
    return (
        (Filter("updated_at", "gteq", updated_at),),
        (Filter("updated_at", "gt", updated_at), Filter("entity_id", "gt", str(entity))),
    )
