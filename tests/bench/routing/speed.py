"""How long a decision takes, by lines and nodes. Seeded instances; half of all (line, node) pairs are in stock.

Two spans are timed, both with the network and the policy prepared, as the hub has them for a batch:
`search` is `solve()` alone, the exact search with its runner-up, stock and costs having been read;
`decide` is all of `decide()`: fences, distances, costs, search, runner-up, a reason per node, the result's structs.
"""

import random
from pathlib import Path
from typing import Final

from hub.routing.certificate import examine
from hub.routing.decide import decide
from hub.routing.explain import explain
from hub.routing.model import Policy
from hub.routing.policy import load_policy
from hub.routing.prepare import prepare
from hub.routing.proof import Proof
from hub.routing.record import encode, encode_input
from hub.routing.solve import solve
from hub.routing.survey import survey
from tests.bench.routing.instances import drawn
from tests.bench.routing.timing import Figures, best_us, look_once, spread_of, yardstick_us

POLICY: Final = Policy()

TARGETS_US: Final = {(1, 10): 20, (2, 10): 20, (5, 50): 150, (8, 200): 1500}
"""Medians that the search is to keep."""

SMALL: Final = ((1, 10), (2, 10), (3, 20), (5, 50), (8, 50), (8, 200))
LARGE: Final = ((10, 12), (12, 12), (20, 12), (40, 12), (12, 50), (20, 50), (40, 50), (12, 200), (20, 200))

PATH: Final = ((1, 12), (2, 12), (4, 12), (4, 50))
PATH_TARGETS_US: Final = {(4, 12): 150, (4, 50): 600}
"""Of a whole decision under a policy of 20 rules."""
EXPLAINED_TARGET_US: Final = 5000

TWENTY_RULES: Final = load_policy((Path(__file__).parent / "twenty_rules.toml").read_text())


def by_size(lines: int, nodes: int, count: int) -> Figures:
    """Both spans, the floor, and what the checker says of every plan."""
    chance = random.Random(lines * 1000 + nodes)
    searches, whole, floors, gaps, proofs, proven, faults = [], [], [], [], dict.fromkeys(Proof, 0), 0, 0
    for _ in range(count):
        group, snapshot = drawn(chance, lines, nodes)
        prepared = prepare(snapshot.nodes, POLICY)
        seen = survey(group, snapshot, prepared)
        rounds = 3 if lines <= 8 else 2
        searches.append(best_us(lambda seen=seen: solve(seen), rounds)[0])
        time_us, decision = best_us(lambda g=group, s=snapshot, p=prepared: decide(g, s, POLICY, p), rounds)
        whole.append(time_us)
        floors.append(best_us(lambda g=group, s=snapshot: look_once(g, s))[0])
        proven += decision.proven
        gaps.append(decision.gap / max(1, decision.plan.cost))
        found, proof = examine(group, snapshot, POLICY, decision)
        faults += len(found)
        proofs[proof] += 1
    search, all_of_it, floor = spread_of(searches), spread_of(whole), spread_of(floors)
    return {
        "search": search,
        "decide": all_of_it,
        "floor_p50_us": floor["p50_us"],
        "search_over_floor": _ratio(search, floor),
        "decide_over_floor": _ratio(all_of_it, floor),
        "target_search_p50_us": TARGETS_US.get((lines, nodes)),
        "proven_share": round(proven / count, 4),
        "largest_gap": round(max(gaps), 4),
        "certificates": {proof.value: number for proof, number in proofs.items() if number},
        "faults_found": faults,
    }


def _ratio(one: Figures, other: Figures) -> float:
    above, below = one["p50_us"], other["p50_us"]
    assert isinstance(above, float)
    assert isinstance(below, float)
    return round(above / below, 1)


def on_the_path(lines: int, nodes: int, count: int, policy: Policy = TWENTY_RULES) -> Figures:
    """A whole decision where 70 % of all pairs are in stock; `with_bytes` also writes input and decision, `explained`
    is what is worked out when somebody reads it."""
    chance, ready, cold, stored, told = random.Random(lines * 1000 + nodes), [], [], [], []
    for _ in range(count):
        group, snapshot = drawn(chance, lines, nodes, 0.7)
        prepared = prepare(snapshot.nodes, policy)
        time_us, decision = best_us(lambda g=group, s=snapshot, p=prepared: decide(g, s, policy, p), 7)
        ready.append(time_us)
        cold.append(best_us(lambda g=group, s=snapshot: decide(g, s, policy))[0])
        stored.append(
            best_us(
                lambda g=group, s=snapshot, p=prepared: (encode(decide(g, s, policy, p)), encode_input(g, s, "bench"))
            )[0]
        )
        told.append(best_us(lambda g=group, s=snapshot, d=decision: explain(g, s, policy, d))[0])
    return {
        "decide": spread_of(ready),
        "unprepared_p50_us": spread_of(cold)["p50_us"],
        "with_bytes_p50_us": spread_of(stored)["p50_us"],
        "explained": spread_of(told),
        "target_p50_us": PATH_TARGETS_US.get((lines, nodes)),
    }


def measure(count: int) -> Figures:
    """All figures, by part and "lines x nodes"."""
    return {
        "timed": " ".join((__doc__ or "").split()),
        "up_to_8_lines": {f"{lines}x{nodes}": by_size(lines, nodes, count) for lines, nodes in SMALL},
        "above_8_lines": {f"{lines}x{nodes}": by_size(lines, nodes, max(5, count // 4)) for lines, nodes in LARGE},
        "on_the_path": {f"{lines}x{nodes}": on_the_path(lines, nodes, count) for lines, nodes in PATH},
        "target_explained_p50_us": EXPLAINED_TARGET_US,
        "yardstick_us": yardstick_us(),
    }
