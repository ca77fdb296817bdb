"""What does not change from order to order, worked out once for a batch."""

from collections.abc import Sequence
from typing import NamedTuple

from hub.routing.geography import Point, point
from hub.routing.model import NodeState, Policy, Reason
from hub.routing.terms import TERMS
from hub.routing.terms.term import Term


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


class Prepared(NamedTuple):
    """A network under a policy, ready for decisions. Sites are in the order that breaks ties: priority, code, id."""

    policy: Policy
    sites: tuple[Site, ...]
    terms: tuple[Term, ...]
    node_count: int


def prepare(nodes: Sequence[NodeState], policy: Policy, terms: Sequence[Term] = TERMS) -> Prepared:
    """Prepare decisions over `nodes`.

    Later snapshots must hold the same nodes in the same order and may differ from these only in `available`,
    `capacity_left` and `transit_days`. Raises `RoutingInputError` for two nodes with one id, for a negative cost
    and for a node group that the policy names but does not have.
    """
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
        elif (policy.use_groups and node.code not in used) or node.code in skipped:
            shut = Reason.OUTSIDE_FENCE
        where = point(node.latitude, node.longitude)
        sites.append(Site(position, node.id, shut, frozenset(node.capabilities), node.country, where))
    return Prepared(policy, tuple(sites), tuple(term for term in terms if term.applies(policy)), len(sites))


def _codes(policy: Policy, groups: Sequence[str]) -> frozenset[str]:
    missing = [name for name in groups if name not in policy.node_groups]
    if missing:
        raise RoutingInputError(f"policy {policy.version} names node group {missing[0]!r}, which node_groups lacks")
    return frozenset(code for name in groups for code in policy.node_groups[name])
