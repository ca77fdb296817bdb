"""Before the search: which nodes are left, what they hold of each row, and what each parcel would cost."""

from collections.abc import Sequence
from typing import NamedTuple

from hub.routing.fences import Asked, asked, fence, line_fence
from hub.routing.model import Group, GroupLine, NodeState, Policy, Reason, Snapshot
from hub.routing.network import Prepared, RoutingInputError, Site
from hub.routing.terms.term import Term, Trip


class Row(NamedTuple):
    """Lines that go together, mostly one. `lines` are positions in the group, in order of demand."""

    lines: tuple[int, ...]
    units: int


class Survey(NamedTuple):
    """All that a search reads. Candidates are the nodes within the fences, in tie-breaking order."""

    group: Group
    policy: Policy
    sites: list[Site]
    trip: Trip
    fenced: dict[int, Reason]
    """By node id: why it is no candidate."""
    rows: list[Row]
    masks: list[int]
    """Per candidate: bit r is set when it could send the whole of row r."""
    shared: tuple[tuple[int, ...], ...]
    """Positions of lines that draw on one item's stock, where there are two or more."""
    fixed: list[int]
    """Per candidate: cost of a parcel before anything is in it."""
    unit: list[int]
    """Per line: cost of a unit, the same from every candidate."""
    unit_at: list[list[int]] | None
    """Per line and candidate: cost of a unit on top; None when no term knows such a difference."""
    loads: tuple[Term, ...]
    """Terms that price a parcel as a whole."""

    @property
    def uniform(self) -> bool:
        """Whether a row costs the same from every candidate, so that only the parcels differ."""
        return self.unit_at is None and not self.loads

    def held(self, candidate: int, position: int) -> int:
        """Units of a line that a candidate may send, on its own."""
        line = self.group.lines[position]
        if (line.classes or line.refused_by or line.barred) and line_fence(line, self.sites[candidate]) is not None:
            return 0
        return max(0, self.trip.nodes[candidate].available[position])

    def pool(self, candidate: int, lines: Sequence[int]) -> int:
        """Units that lines of one item may take from a candidate together."""
        available = self.trip.nodes[candidate].available
        return max(0, min(available[position] for position in lines))

    def parcel_cost(self, candidate: int, units: Sequence[int]) -> int:
        """Cost of one parcel from a candidate with so many units of each line of the group."""
        cost = self.fixed[candidate]
        for position, count in enumerate(units):
            if count:
                cost += count * self.unit_cost(candidate, position)
        for term in self.loads:
            if term.per_load is not None:
                cost += term.per_load(self.trip, candidate, units)
        return cost

    def unit_cost(self, candidate: int, position: int) -> int:
        """Cost of one unit of a line from a candidate."""
        return self.unit[position] + (self.unit_at[position][candidate] if self.unit_at else 0)

    def row_cost(self, candidate: int, row: Row) -> int:
        """Cost of a whole row from a candidate, on top of its parcel."""
        lines = self.group.lines
        return sum(lines[position].quantity * self.unit_cost(candidate, position) for position in row.lines)


def survey(group: Group, snapshot: Snapshot, prepared: Prepared) -> Survey:
    """Fence, look at the stock and price. Raises `RoutingInputError` for input that contradicts itself."""
    lines = group.lines
    rows = _rows(group)
    shared = _shared(lines)
    sites, trip, fenced = _candidates(group, snapshot, prepared)
    unit, unit_at = _unit_costs(prepared.terms, trip)
    return Survey(
        group=group,
        policy=prepared.policy,
        sites=sites,
        trip=trip,
        fenced=fenced,
        rows=rows,
        masks=_masks(lines, rows, sites, trip.nodes),
        shared=shared,
        fixed=_fixed_costs(prepared.terms, trip),
        unit=unit,
        unit_at=unit_at,
        loads=tuple([term.on(trip) for term in prepared.terms if term.per_load is not None]),
    )


def _rows(group: Group) -> list[Row]:
    """Rows in order of their first demand. Lines with one mark are one row, and so is a group that is kept together."""
    lines = group.lines
    demands = [line.demand for line in lines]
    order = sorted(range(len(lines)), key=demands.__getitem__)
    if len(set(demands)) != len(demands):
        raise RoutingInputError(f"order {group.order}: a demand has two lines in group {group.group}; merge them")
    if min((line.quantity for line in lines), default=1) < 1:
        raise RoutingInputError(f"order {group.order}: a line of group {group.group} asks for less than one unit")
    if group.keep_together:
        return [Row(tuple(order), sum(line.quantity for line in lines))] if lines else []
    if not any(line.together for line in lines):
        return [Row((position,), lines[position].quantity) for position in order]
    bundles: dict[tuple[str | None, int], list[int]] = {}
    for position in order:
        mark = lines[position].together
        bundles.setdefault((mark, -1 if mark else position), []).append(position)
    return [Row(tuple(bundle), sum(lines[position].quantity for position in bundle)) for bundle in bundles.values()]


def _shared(lines: Sequence[GroupLine]) -> tuple[tuple[int, ...], ...]:
    if len({line.item for line in lines}) == len(lines):
        return ()
    by_item: dict[int, list[int]] = {}
    for position, line in enumerate(lines):
        by_item.setdefault(line.item, []).append(position)
    return tuple(tuple(positions) for positions in by_item.values() if len(positions) > 1)


def _candidates(group: Group, snapshot: Snapshot, prepared: Prepared) -> tuple[list[Site], Trip, dict[int, Reason]]:
    states, count = snapshot.nodes, len(group.lines)
    if len(states) != prepared.node_count:
        raise RoutingInputError(f"order {group.order}: the snapshot has other nodes than were prepared; prepare again")
    want: Asked = asked(group, prepared.policy)
    sites: list[Site] = []
    nodes: list[NodeState] = []
    kms: list[int] = []
    fenced: dict[int, Reason] = {}
    far = prepared.distances.to(want.here, want.unknown_km)[0] if want.travels else [0] * len(states)
    for site, km in zip(prepared.sites, far, strict=True):
        node = states[site.position]
        if node.id != site.id or len(node.available) != count:
            raise RoutingInputError(
                f"order {group.order}: node {node.code} is not the one prepared at its place, "
                f"or its {len(node.available)} stock figures do not match {count} lines"
            )
        reason = fence(want, site, node, km)
        if reason is None:
            sites.append(site)
            nodes.append(node)
            kms.append(km)
        else:
            fenced[site.id] = reason
    return sites, Trip(group, prepared.policy, snapshot.at, nodes, kms, want.travels), fenced


def _masks(lines: Sequence[GroupLine], rows: list[Row], sites: list[Site], nodes: Sequence[NodeState]) -> list[int]:
    fenced_lines = any(line.classes or line.refused_by or line.barred for line in lines)
    if fenced_lines or len(rows) != len(lines):
        return [_careful_mask(lines, rows, site, node) for site, node in zip(sites, nodes, strict=True)]
    needs = [(1 << bit, row.lines[0], row.units) for bit, row in enumerate(rows)]
    masks = []
    for node in nodes:
        mask, available = 0, node.available
        for bit, position, units in needs:
            if available[position] >= units:
                mask |= bit
        masks.append(mask)
    return masks


def _careful_mask(lines: Sequence[GroupLine], rows: list[Row], site: Site, node: NodeState) -> int:
    """The mask where lines have fences of their own, or a row has several lines that may share an item's stock."""
    mask = 0
    for bit, row in enumerate(rows):
        left: dict[int, int] = {}
        for position in row.lines:
            line = lines[position]
            if line_fence(line, site) is not None:
                break
            free = min(left.get(line.item, node.available[position]), node.available[position])
            left[line.item] = free - line.quantity
            if free < line.quantity:
                break
        else:
            mask |= 1 << bit
    return mask


def _fixed_costs(terms: Sequence[Term], trip: Trip) -> list[int]:
    parts = [term.per_parcel(trip) for term in terms if term.per_parcel is not None]
    return list(map(sum, zip(*parts, strict=True))) if parts else [0] * len(trip.nodes)


def _unit_costs(terms: Sequence[Term], trip: Trip) -> tuple[list[int], list[list[int]] | None]:
    lines = trip.group.lines
    unit = [0] * len(lines)
    for term in terms:
        if term.per_unit is not None:
            unit = [cost + term.per_unit(trip, line) for cost, line in zip(unit, lines, strict=True)]
    per_unit_at = [term.per_unit_at for term in terms if term.per_unit_at is not None]
    if not per_unit_at:
        return unit, None
    at = [[sum(part) for part in zip(*(price(trip, line) for price in per_unit_at), strict=True)] for line in lines]
    return unit, at
