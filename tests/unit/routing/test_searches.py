"""The three searches against each other and against trying everything, on seeded instances."""

import random
from itertools import combinations

import pytest

from hub.domain.contact import Place
from hub.routing.branch import branch
from hub.routing.certificate import check
from hub.routing.counting import count
from hub.routing.cover import cheapest, cover
from hub.routing.decide import decide
from hub.routing.locate import locate
from hub.routing.model import Policy, Solver
from hub.routing.opening import wants
from hub.routing.pieces import capacity, merged_pieces, spread_pieces
from hub.routing.prepare import prepare
from hub.routing.solve import cost_of
from hub.routing.survey import survey
from hub.routing.terms.parcel import TERM as PARCEL
from hub.routing.terms.term import Term
from tests.unit.routing.worlds import group, left, line, network, node, used

HERE = Place(country="US", latitude=40.0, longitude=-75.0)


def instance(chance, lines, nodes, *, shared=False, quantity=3, stock=(0, 3), **rates):
    """A survey of a random network."""
    wanted = group(
        *(
            line(
                n + 1,
                item=chance.randint(1, 2) if shared else None,
                quantity=chance.randint(1, quantity),
                weight_g=chance.randint(1, 3000),
            )
            for n in range(lines)
        ),
        place=HERE,
    )
    states = []
    for k in range(nodes):
        shelf = {one.item: chance.choice(stock) for one in wanted.lines}
        states.append(
            node(
                k + 1,
                *(shelf[one.item] for one in wanted.lines),
                code=f"N{k:03}",
                handling_cost=chance.randint(0, 900),
                latitude=40 + chance.random(),
                longitude=-74.0,
            )
        )
    policy = Policy(parcel_cost=chance.choice([0, 1000, 5000]), per_km=chance.choice([0, 1, 10]), **rates)
    snapshot = network(*states)
    return wanted, snapshot, policy, survey(wanted, snapshot, prepare(snapshot.nodes, policy))


def fillable(seen):
    """Rows that some candidate holds."""
    return [row for row in range(len(seen.rows)) if any(mask >> row & 1 for mask in seen.masks)]


def cheapest_set(seen, rows):
    """(cost of parcels, number of parcels) of the best set of nodes, by trying every set."""
    wanted = sum(1 << row for row in rows)
    found = []
    for size in range(1, len(seen.masks) + 1):
        for chosen in combinations(range(len(seen.masks)), size):
            covered = 0
            for k in chosen:
                covered |= seen.masks[k]
            if covered & wanted == wanted:
                found.append((sum(seen.fixed[k] for k in chosen), size))
    return min(found)


@pytest.mark.parametrize(("lines", "seed"), [(4, 1), (8, 2), (12, 3)])
def test_subsets_and_nodes_agree_with_every_set_of_nodes(lines, seed):
    chance = random.Random(seed)
    for _ in range(25):
        _, _, _, seen = instance(chance, lines, 6)
        rows = fillable(seen)
        by_nodes = branch(seen, merged_pieces(seen, rows), range(6), None, 10**9)
        by_subsets = cover(seen, rows, 12)
        parcels, number = cheapest_set(seen, rows)
        goods = sum(seen.row_cost(0, seen.rows[row]) for row in rows)
        assert by_nodes.plan.worth == (0, parcels + goods, number)
        assert by_nodes.bound == by_nodes.plan.worth
        assert by_subsets is not None
        assert by_subsets.cost == parcels + goods
        assert len(set(by_subsets.choices)) == number


def test_nodes_agree_with_every_set_of_nodes_above_the_rows_of_the_other_searches():
    chance = random.Random(4)
    for _ in range(15):
        _, _, _, seen = instance(chance, 24, 7)
        rows = fillable(seen)
        found = branch(seen, merged_pieces(seen, rows), range(7), None, 10**9)
        parcels, number = cheapest_set(seen, rows)
        goods = sum(seen.row_cost(0, seen.rows[row]) for row in rows)
        assert found.bound == found.plan.worth == (0, parcels + goods, number)


def test_counting_agrees_with_the_other_two_where_all_three_can_tell():
    chance = random.Random(5)
    for _ in range(40):
        _, _, _, seen = instance(chance, 4, 5)
        rows = fillable(seen)
        pieces = merged_pieces(seen, rows)
        counted = count(seen, pieces, range(5), None)
        by_subsets = cover(seen, rows, 10)
        assert counted is not None
        assert by_subsets is not None
        assert cost_of(seen, counted.placements) == by_subsets.cost + (4 - len(rows)) * seen.policy.unfilled_cost
        assert {k for _, k, _ in counted.placements} == set(by_subsets.choices)


@pytest.mark.parametrize("limit", [None, 1, 2])
def test_the_bound_over_nodes_holds_where_stock_is_short_and_splits_are_few(limit):
    chance = random.Random(6)
    closed = 0
    for _ in range(60):
        _, _, _, seen = instance(chance, 3, 4, shared=chance.random() < 0.4, stock=(0, 1, 2, 5))
        every = spread_pieces(seen, range(3), frozenset(row for row in range(3) if chance.random() < 0.6))
        pieces = [piece for piece in every if any(capacity(seen, piece, k) for k in range(4))]
        exact = count(seen, pieces, range(4), limit)
        found = branch(seen, pieces, range(4), limit, 10**6)
        assert exact is not None
        best = (exact.units_left, cost_of(seen, exact.placements))
        told = (found.plan.worth.units_left, cost_of(seen, found.plan.placements))
        outside = told[1] - found.plan.worth.cost
        assert (found.bound.units_left, found.bound.cost + outside) <= best <= told
        if found.bound == found.plan.worth:
            assert told == best
            closed += 1
    assert closed > 20


def test_a_search_cut_short_says_how_far_it_may_be_off():
    chance = random.Random(7)
    gaps = 0
    for _ in range(6):
        wanted, snapshot, policy, _ = instance(chance, 24, 30, stock=(0, 0, 3), search_budget=1)
        rich = Policy(**{**{f: getattr(policy, f) for f in policy.__struct_fields__}, "search_budget": 50_000_000})
        short, full = decide(wanted, snapshot, policy), decide(wanted, snapshot, rich)
        assert full.proven
        assert short.bound <= full.plan.cost <= short.plan.cost
        assert not check(wanted, snapshot, policy, short)
        assert not check(wanted, snapshot, rich, full)
        gaps += short.gap > 0
        assert short.proven == (short.gap == 0)
    assert gaps


def test_forty_lines_over_twelve_nodes_are_proven():
    wanted, snapshot, policy, _ = instance(random.Random(8), 40, 12)
    decision = decide(wanted, snapshot, policy)
    assert decision.solver is Solver.LOCATING
    assert decision.proven
    assert not check(wanted, snapshot, policy, decision)


def test_eight_lines_over_two_hundred_nodes():
    chance = random.Random(9)
    for _ in range(3):
        wanted, snapshot, policy, seen = instance(chance, 8, 200)
        decision = decide(wanted, snapshot, policy)
        by_nodes = branch(seen, merged_pieces(seen, range(8)), range(200), None, 10**9)
        assert decision.plan.cost == by_nodes.plan.worth.cost
        assert decision.solver is Solver.SUBSETS
        assert decision.proven
        assert left(decision.plan) == 0
        assert decision.runner_up is not None
        assert used(decision.runner_up) != used(decision.plan)
        assert not check(wanted, snapshot, policy, decision)


def test_twelve_rows_that_the_search_over_nodes_leaves_open_are_closed_by_subsets():
    wanted, snapshot, _, _ = instance(random.Random(10), 12, 60)
    decision = decide(wanted, snapshot, Policy(parcel_cost=5000, per_km=10, search_budget=1))
    assert decision.solver is Solver.SUBSETS
    assert decision.proven


def test_a_long_order_with_one_short_line_is_proven():
    """Twenty lines, one of which must come from several nodes: the other nineteen are not counted one by one."""
    chance = random.Random(11)
    wanted, snapshot, policy, _ = instance(chance, 20, 12, quantity=1, stock=(1,))
    lines = (*wanted.lines[:-1], line(20, quantity=40))
    nodes = [node(n.id, *n.available[:-1], 7 + n.id, handling_cost=n.handling_cost) for n in snapshot.nodes]
    wanted, snapshot = group(*lines, place=HERE), network(*nodes)
    decision = decide(wanted, snapshot, policy)
    assert left(decision.plan) == 0
    assert decision.proven
    assert not check(wanted, snapshot, policy, decision)


def test_the_kernel_reads_its_plan_from_one_integer():
    masks, fixed = [0b011, 0b110, 0b100, 0b001], [10, 10, 3, 4]
    found = cheapest(masks, fixed, 3)
    assert (found.choices, found.cost) == ([0, 0, 2], 13)
    assert (found.other_choices, found.other_cost) == ([3, 1, 1], 14)


def at_nodes(chance, lines, nodes, quantity, stock):
    """A survey where every unit has a price of its own at every node, and some lines that no node has whole."""
    wanted = group(*(line(n + 1, quantity=chance.randint(1, quantity)) for n in range(lines)), place=HERE)
    price = {(n + 1, k + 1): chance.randint(0, 500) for n in range(lines) for k in range(nodes)}
    term = Term(
        name="own",
        applies=lambda _: True,
        per_unit_at=lambda trip, one: [price[one.demand, state.id] for state in trip.nodes],
    )
    states = [node(k + 1, *(chance.choice(stock) for _ in range(lines)), code=f"N{k}") for k in range(nodes)]
    snapshot, policy = network(*states), Policy(parcel_cost=chance.choice([0, 300, 900]), per_km=0, per_kg=0)
    return survey(wanted, snapshot, prepare(snapshot.nodes, policy, (PARCEL, term)))


def every_set(seen, wanted, limit):
    """(cost, parcels, nodes) of every set of nodes that can send all, each want from the cheapest of the set."""
    found = []
    for size in range(1, (limit or len(seen.masks)) + 1):
        for chosen in combinations(range(len(seen.masks)), size):
            cost, used = 0, set()
            for want in wanted:
                left = want.need
                for price, k, parts in want.offers:
                    if k in chosen and left:
                        taken = min(left, parts)
                        cost, left = cost + price * taken, left - taken
                        used.add(k)
                if left:
                    break
            else:
                if used == set(chosen):
                    found.append((cost + sum(seen.fixed[k] for k in used), size, frozenset(used)))
    return sorted(found, key=lambda answer: answer[:2])


@pytest.mark.parametrize("limit", [None, 1, 2, 3])
def test_prices_agree_with_every_set_of_nodes(limit):
    chance, proven, none = random.Random(12), 0, 0
    for _ in range(60):
        seen = at_nodes(chance, chance.randint(1, 7), 6, 4, (0, 0, 1, 2, 4))
        whole = fillable(seen)
        spread = [n for n in range(len(seen.rows)) if n not in whole and any(seen.held(k, n) for k in range(6))]
        if not whole and not spread:
            continue
        wanted = wants(seen, whole, spread)
        every, found = every_set(seen, wanted, limit), locate(seen, wanted, limit, 10**9)
        if found is None:
            assert every == []
            none += 1
            continue
        used = frozenset(k for _, k, _ in found.placements)
        assert (found.cost, len(used)) == every[0][:2]
        assert found.bound == found.cost
        assert sum(price * want.need for price, want in zip(found.prices, wanted, strict=True)) <= found.cost
        others = [cost for cost, _, nodes in every if nodes != used]
        assert found.other_is_exact
        assert not others or found.other is not None
        proven += 1
    assert proven > 8
    assert (none > 0) == (limit is not None)


def test_a_limit_of_splits_is_kept_above_what_can_be_counted():
    """Fourteen cheap nodes with a line each would be best; at most three parcels are allowed."""
    lines = [line(n) for n in range(14)]
    cheap = [node(k + 1, *(int(n == k) for n in range(14)), code=f"A{k:02}", handling_cost=10) for k in range(14)]
    chance = random.Random(13)
    broad = [
        node(k, *(chance.randint(0, 1) for _ in lines), code=f"B{k}", handling_cost=chance.randint(200, 900))
        for k in range(20, 50)
    ]
    wanted, snapshot = group(*lines), network(*cheap, *broad)
    free, tied = Policy(parcel_cost=0, per_km=0), Policy(parcel_cost=0, per_km=0, max_splits=2)
    loose, tight = decide(wanted, snapshot, free), decide(wanted, snapshot, tied)
    assert len(used(loose.plan)) == 14
    assert len(used(tight.plan)) == 3
    assert left(tight.plan) == 0
    assert (tight.proven, tight.solver) == (True, Solver.LOCATING)
    assert not check(wanted, snapshot, tied, tight)


def test_twenty_lines_over_two_hundred_half_empty_nodes_are_proven():
    wanted, snapshot, policy, _ = instance(random.Random(14), 20, 200, quantity=1, stock=(0, 1))
    decision = decide(wanted, snapshot, policy)
    assert decision.proven
    assert not check(wanted, snapshot, policy, decision)


def test_equal_plans_over_many_lines_are_tied_by_the_stated_rule():
    """Twelve lines, each at every node of its half: the best place of each half wins, in any order of input."""
    lines = [line(n) for n in range(1, 13)]
    halves = [node(k, *([k % 2] * 6 + [1 - k % 2] * 6), code=f"N{9 - k}") for k in range(1, 9)]
    policy = Policy(parcel_cost=1000, per_km=0, per_kg=0)
    decision = decide(group(*lines), network(*halves), policy)
    assert decision.solver in (Solver.SUBSETS, Solver.LOCATING)
    assert used(decision.plan) == {7, 8}
    assert decide(group(*lines), network(*reversed(halves)), policy) == decision
