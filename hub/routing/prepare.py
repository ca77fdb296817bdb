"""What does not change from order to order, worked out once for a batch."""

from collections.abc import Sequence

from hub.routing.chain import Chain
from hub.routing.model import Group, NodeState, Policy, Snapshot
from hub.routing.network import Prepared, RoutingInputError, Site, Way, prepare_plain
from hub.routing.terms import TERMS
from hub.routing.terms.term import Term

__all__ = ["Prepared", "RoutingInputError", "Site", "Way", "prepare", "way_of"]


def prepare(nodes: Sequence[NodeState], policy: Policy, terms: Sequence[Term] = TERMS) -> Prepared:
    """Prepare decisions over `nodes`.

    Later snapshots must hold the same nodes in the same order and may differ from these only in `available`,
    `capacity_left`, `transit_days` and `arrives_by`. Raises `RoutingInputError` for two nodes with one id, for a
    negative cost and for a node group that the policy names but does not have.
    """
    if policy.plain:
        return prepare_plain(nodes, policy, terms)
    return prepare_plain(nodes, policy, terms)._replace(chain=Chain(nodes, policy, terms))


def way_of(group: Group, snapshot: Snapshot, prepared: Prepared, attempt: int = 0) -> Way:
    """The input without rules that a decision was made on; `attempt` is the decision's own. For whoever looks at a
    decision afterwards. Raises `ConditionFailed`, and `RoutingInputError` for an attempt that there is not."""
    if prepared.chain is None:
        return Way(group, snapshot, prepared, prepared.policy)
    for way in prepared.chain.ways(group, snapshot):
        if way.attempt == attempt:
            return way
    raise RoutingInputError(f"order {group.order}: policy {prepared.policy.version} has no attempt {attempt} for it")
