"""A network under a plain policy, worked out once for many decisions; and the ways that lead to one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from hub.routing.geography import Point, kilometres, point
from hub.routing.model import Group, NodeState, Policy, Reason, Snapshot
from hub.routing.terms.term import Term, standing

REMEMBERED: Final = 4096
"""Places whose distances are kept before all are forgotten."""


class RoutingInputError(ValueError):
    """What was given contradicts itself. Names the order, or the node, and what to mend."""


class Site(NamedTuple):
    """What stays the same of a node."""

    position: int
    """In `Snapshot.nodes`."""
    id: int
    shut: Reason | None
    """Why the policy or the network takes it out, whatever the order is."""
    capabilities: frozenset[str]
    country: str | None
    point: Point | None


class Distances:
    """Kilometres to every node from places that were asked for before, and from the next. Belongs to one thread."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites
        self._known: dict[tuple[Point | None, int], tuple[list[int], list[int]]] = {}

    def to(self, here: Point | None, unknown_km: int) -> tuple[list[int], list[int]]:
        """By the order of the sites, and by their nodes' places in the snapshot."""
        key = (here, unknown_km)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            by_site = [
                unknown_km if here is None or site.point is None else kilometres(here, site.point)
                for site in self._sites
            ]
            by_place = [0] * len(by_site)
            for site, km in zip(self._sites, by_site, strict=True):
                by_place[site.position] = km
            found = self._known[key] = by_site, by_place
        return found


class Prepared(NamedTuple):
    """A network under a policy, ready for decisions. Sites are in the order that breaks ties: priority, code, id."""

    policy: Policy
    sites: tuple[Site, ...]
    terms: tuple[Term, ...]
    node_count: int
    distances: "Distances"
    chain: "Ways | None" = None
    """Where the policy has rules: what makes plain inputs of those that it is given. Sites and terms are then those
    of the policy without them."""


class Way(NamedTuple):
    """One way to decide a group: an input without rules, and who made it."""

    group: Group
    snapshot: Snapshot
    prepared: Prepared
    policy: Policy
    """The settings that hold, those included that the chain has carried out already."""
    rules: tuple[str, ...] = ()
    """Names of the rules that fired."""
    attempt: int = 0
    """0, or which fallback this is."""


class Ways(Protocol):
    """What a policy with rules makes of a group."""

    def settings(self, group: Group, at: datetime) -> Policy:
        """The settings that hold for a group before any fallback. Raises `ConditionFailed`."""
        ...

    def ways(self, group: Group, snapshot: Snapshot) -> Iterator[Way]:
        """The ways to decide a group, the fallbacks in their order. Raises `ConditionFailed`."""
        ...


def prepare_plain(nodes: Sequence[NodeState], policy: Policy, terms: Sequence[Term]) -> Prepared:
    """Prepare decisions over `nodes`, rules left out of account. Raises `RoutingInputError` as `prepare` does."""
    ids = [node.id for node in nodes]
    if len(set(ids)) != len(ids):
        raise RoutingInputError("two nodes of the snapshot have the same id: give each node once")
    used, skipped = _codes(policy, policy.use_groups), _codes(policy, policy.skip_groups)
    sites = []
    for position in sorted(range(len(nodes)), key=lambda n: (nodes[n].priority, nodes[n].code, nodes[n].id)):
        node = nodes[position]
        if node.handling_cost < 0:
            raise RoutingInputError(f"node {node.code} has a negative handling cost: costs start at 0")
        shut = None
        if not node.enabled:
            shut = Reason.DISABLED
        elif not node.serves:
            shut = Reason.NOT_SERVED
        elif (policy.use_groups and node.code not in used) or node.code in skipped:
            shut = Reason.OUTSIDE_FENCE
        where = point(node.latitude, node.longitude)
        sites.append(Site(position, node.id, shut, frozenset(node.capabilities), node.country, where))
    return Prepared(policy, tuple(sites), standing(terms, policy), len(sites), Distances(sites))


def _codes(policy: Policy, groups: Sequence[str]) -> frozenset[str]:
    missing = [name for name in groups if name not in policy.node_groups]
    if missing:
        raise RoutingInputError(f"policy {policy.version} names node group {missing[0]!r}, which node_groups lacks")
    return frozenset(code for name in groups for code in policy.node_groups[name])
