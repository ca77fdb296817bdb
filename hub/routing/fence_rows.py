"""Each fence at each node with the value that it saw. For people: deciding itself stops at the first that holds."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from hub.routing.fences import Asked, asked, distance
from hub.routing.model import Group, GroupLine, NodeState, Policy
from hub.routing.prepare import Prepared, Site


class FenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fence at one node."""

    fence: str
    passed: bool
    seen: str
    wanted: str
    demand: int | None = None
    """Where it keeps the node out for one line only."""


def fence_rows(group: Group, node: NodeState, site: Site, prepared: Prepared) -> tuple[FenceRow, ...]:
    """The fences that apply to a group, in the order in which deciding looks at them. The policy is a plain one."""
    want = asked(group, prepared.policy)
    return tuple(
        FenceRow(fence=fence, passed=passed, seen=seen, wanted=wanted, demand=demand)
        for fence, passed, seen, wanted, demand in (
            *(_Row(*row, None) for row in _rows(node, site, prepared.policy, want)),
            *(_Row(*row, line.demand) for line in group.lines for row in _line_rows(line, site)),
        )
    )


class _Row(NamedTuple):
    fence: str
    passed: bool
    seen: str
    wanted: str
    demand: int | None


def _rows(node: NodeState, site: Site, policy: Policy, want: Asked) -> Iterator[tuple[str, bool, str, str]]:
    yield "enabled", node.enabled, "on" if node.enabled else "off", "on"
    yield "serves", node.serves, "serves the channel" if node.serves else "not this channel", "serves the channel"
    named = [name for name, codes in sorted(policy.node_groups.items()) if node.code in codes]
    if policy.use_groups:
        yield "use_groups", not set(named).isdisjoint(policy.use_groups), _list(named), _list(policy.use_groups)
    if policy.skip_groups:
        yield "skip_groups", set(named).isdisjoint(policy.skip_groups), _list(named), f"not {_list(policy.skip_groups)}"
    if want.collected:
        yield "pickup_node", site.id == want.pickup_node, str(site.id), str(want.pickup_node or "unknown")
    if node.fenced_by is not None:
        yield "rules", False, node.fenced_by, "nothing that keeps it out"
    if want.stay:
        same = site.country is not None and site.country == want.country
        yield "stay_in_country", same, site.country or "unknown", want.country or "unknown"
    if want.limit_km is not None:
        km = distance(want, site)
        unknown = want.here is None or site.point is None
        seen = f"unknown, counted as {km} km" if unknown else f"{km} km"
        yield "max_distance_km", km <= want.limit_km, seen, f"at most {want.limit_km} km"
    if want.capability is not None:
        yield "capability", want.capability in site.capabilities, _list(sorted(site.capabilities)), want.capability
    if node.capacity_left is not None:
        room = node.capacity_left >= 1 or want.any_capacity
        yield "capacity", room, f"{node.capacity_left} left", "any" if want.any_capacity else "at least 1 left"


def _line_rows(line: GroupLine, site: Site) -> Iterator[tuple[str, bool, str, str]]:
    needs = line.classes if line.needs is None else line.needs
    if line.classes and needs:
        yield "classes", site.capabilities.issuperset(needs), _list(sorted(site.capabilities)), _list(needs)
    if line.refused_by:
        refused = site.id in line.refused_by
        yield "refused", not refused, "refused before" if refused else "not refused", "not refused"
    if site.id in line.barred:
        yield "rules", False, f"kept out for {_list(line.classes)}", "nothing that keeps it out"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
