"""`searchCriteria` as the store reads it: filters, order, pages (the last one again past the end) and `fields`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from adapters.magento.simulator_sales import Refusal

Document = dict[str, Any]
Pairs = Sequence[tuple[str, str]]

_FILTER: Final = re.compile(
    r"searchCriteria\[filter(?:Groups|_groups)\]\[(\d+)\]\[filters\]\[(\d+)\]\[(field|value|condition(?:Type|_type))\]"
)
_SORT: Final = re.compile(r"searchCriteria\[sort(?:Orders|_orders)\]\[(\d+)\]\[(field|direction)\]")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
UNPAGED: Final = 20
"""Entities of a page where the request names no size."""

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda one, other: bool(one == other),
    "neq": lambda one, other: bool(one != other),
    "gt": lambda one, other: bool(one > other),
    "gteq": lambda one, other: bool(one >= other),
    "lt": lambda one, other: bool(one < other),
    "lteq": lambda one, other: bool(one <= other),
}


class Criteria(msgspec.Struct, kw_only=True):
    """A parsed request."""

    groups: list[list[tuple[str, str, str]]]
    sort: list[tuple[str, bool]]
    size: int
    page: int
    fields: str | None
    paged: bool


def parse(pairs: Pairs) -> Criteria:
    """Read the query's pairs. A name that nobody reads is nothing to the store; here it is a mistake."""
    found: dict[int, dict[int, dict[str, str]]] = {}
    sort: dict[int, dict[str, str]] = {}
    rest: dict[str, str] = {}
    for name, value in pairs:
        if match := _FILTER.fullmatch(name):
            group, place, part = int(match[1]), int(match[2]), match[3]
            found.setdefault(group, {}).setdefault(place, {})[part.removesuffix("Type").removesuffix("_type")] = value
        elif match := _SORT.fullmatch(name):
            sort.setdefault(int(match[1]), {})[match[2]] = value
        else:
            rest[name.replace("page_size", "pageSize").replace("current_page", "currentPage")] = value
    size, page = rest.pop("searchCriteria[pageSize]", None), rest.pop("searchCriteria[currentPage]", "1")
    fields = rest.pop("fields", None)
    rest.pop("searchCriteria", None)
    if rest:
        raise Refusal('Property "%1" does not have accessor method', [next(iter(rest))])
    groups = [
        [(one["field"], one.get("condition", "eq"), one["value"]) for one in filters.values()]
        for filters in found.values()
    ]
    order = [(one["field"], one.get("direction", "DESC").upper() == "ASC") for one in sort.values()]
    return Criteria(
        groups=groups, sort=order, size=int(size or UNPAGED), page=int(page), fields=fields, paged=bool(size)
    )


def found(rows: Iterable[Document], criteria: Criteria) -> tuple[list[Document], int]:
    """The page asked for, and how many there are in all. A page past the end is the last one again."""
    groups = [[_test(*one) for one in group] for group in criteria.groups]
    rows = [row for row in rows if all(any(test(row) for test in group) for group in groups)]
    for field, ascending in reversed(criteria.sort):
        rows.sort(key=lambda row: _comparable(row.get(field)), reverse=not ascending)
    last = max(1, -(-len(rows) // criteria.size))
    page = min(max(1, criteria.page), last)
    return rows[(page - 1) * criteria.size : page * criteria.size], len(rows)


def named(pairs: Pairs, field: str) -> list[str] | None:
    """The values of a group that only asks for equality in one field, for a look-up instead of a walk."""
    for group in parse(pairs).groups:
        if group and all(one == field and condition == "eq" for one, condition, _ in group):
            return [value for _, _, value in group]
    return None


def _test(field: str, condition: str, value: str) -> Callable[[Document], bool]:
    """What a filter asks of a row."""
    if condition in ("in", "nin"):
        among = {part.strip() for part in value.split(",")}
        return lambda row: (str(_held(row, field)) in among) is (condition == "in")
    compare = _COMPARE.get(condition)
    if compare is None:
        # `from` and `to` among them: one of the two is dropped by the real one.
        raise Refusal("The condition type %1 is not one that a careful client uses", [condition])
    folded, wanted = value.casefold(), _comparable(value)

    def holds(row: Document) -> bool:
        held = _held(row, field)
        if condition in ("eq", "neq") and isinstance(held, str):
            return compare(held.casefold(), folded)
        return held is not None and compare(_comparable(held), wanted)

    return holds


def _held(row: Document, field: str) -> Any:
    if field not in row:
        raise Refusal("SQLSTATE[42S22]: Column not found: 1054 Unknown column '%1' in 'where clause'", [field])
    return row[field]


def _comparable(value: Any) -> Any:
    """Ids and amounts as numbers, all else as text, absent first."""
    if value is None:
        return (0, 0, "")
    text = str(value)
    return (1, float(text), "") if _NUMBER.fullmatch(text) else (1, 0.0, text)


def projected(document: Any, fields: str) -> Any:
    """`items[id,sku],total_count`: only the fields named."""
    wanted = _parse_fields(fields)
    return _project(document, wanted)


def _parse_fields(text: str) -> dict[str, Any]:
    stack: list[dict[str, Any]] = [{}]
    for name, mark in re.findall(r"([A-Za-z_]+)?([\[\],])?", text):
        inner: dict[str, Any] = {}
        if name:
            stack[-1][name] = inner
        if mark == "[":
            stack.append(inner)
        elif mark == "]":
            stack.pop()
    return stack[0]


def _project(node: Any, wanted: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_project(one, wanted) for one in node]
    if not isinstance(node, dict) or not wanted:
        return node
    return {name: _project(node[name], inner) for name, inner in wanted.items() if name in node}
