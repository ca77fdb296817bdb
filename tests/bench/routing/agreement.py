"""Whether the searches, a general solver and the peers agree on random orders at the same state.

Orders have up to 10 lines over up to 12 nodes, with quantities, so that some lines must be spread. Subsets, the search
over nodes by prices, the search over nodes by branching and the solver must find the same cost, to the last unit.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from hub.routing.branch import branch
from hub.routing.certificate import examine
from hub.routing.cover import cover
from hub.routing.decide import decide
from hub.routing.locate import locate
from hub.routing.model import Decision
from hub.routing.opening import wants
from hub.routing.pieces import merged_pieces
from hub.routing.survey import Survey, survey
from tests.bench.routing.instances import FREIGHT_POLICY, TERMS, Network, order_of, sent_of
from tests.bench.routing.milp import ABSENT, PRESENT, milp
from tests.bench.routing.peers import PEERS
from tests.bench.routing.timing import Figures

ENOUGH = 10**9


class Trial:
    """One random order over a random network."""

    def __init__(self, chance: random.Random) -> None:
        nodes, lines = chance.randint(2, 12), chance.randint(1, 10)
        self.network = Network([(chance.uniform(25, 48), chance.uniform(-120, -70)) for _ in range(nodes)])
        self.need = [chance.choice((1, 1, 1, 2, 3, 6)) for _ in range(lines)]
        held = [[chance.choice((0, 0, 1, 2, 6)) for _ in self.need] for _ in range(nodes)]
        place, grams = (chance.uniform(25, 48), chance.uniform(-120, -70)), chance.choice((90, 450, 2000))
        self.state = self.network.state(self.need, held, self.network.kms(place), grams)
        self.group, self.snapshot = order_of(self.need, place, grams), self.network.snapshot(held)

    def decide(self) -> Decision:
        """What the engine says."""
        return decide(self.group, self.snapshot, FREIGHT_POLICY, self.network.prepared)

    def searches(self) -> dict[str, int]:
        """Cost of the plan of each search that can tell, by the search's name."""
        seen = survey(self.group, self.snapshot, self.network.prepared)
        every = range(len(seen.rows))
        whole = [row for row in every if any(mask >> row & 1 for mask in seen.masks)]
        spread = [row for row in every if row not in whole and any(seen.held(k, row) for k in range(len(seen.sites)))]
        over = FREIGHT_POLICY.unfilled_cost * sum(
            filled < need for filled, need in zip(self.state.fill(), self.need, strict=True)
        )
        return {name: cost + over for name, cost in self._told(seen, whole, spread)}

    @staticmethod
    def _told(seen: Survey, whole: Sequence[int], spread: Sequence[int]) -> Iterator[tuple[str, int]]:
        if whole and not spread:
            by_subsets = cover(seen, whole, 10)
            assert by_subsets is not None
            yield "subsets", by_subsets.cost
            by_branching = branch(seen, merged_pieces(seen, whole), range(len(seen.sites)), None, ENOUGH)
            assert by_branching.plan.worth == by_branching.bound
            yield "branching", by_branching.plan.worth.cost
        if whole or spread:
            located = locate(seen, wants(seen, whole, spread), None, ENOUGH)
            assert located is not None
            yield "prices", located.cost


def measure(count: int, seed: int = 7, solver: bool = PRESENT) -> Figures:
    """Disagreements are listed by order's number; there should be none."""
    chance = random.Random(seed)
    differs: dict[str, list[int]] = {}
    compared, proofs = Counter[str](), Counter[str]()
    faults, milp_s, engine_s = 0, 0.0, 0.0
    for number in range(count):
        trial = Trial(chance)
        start = time.perf_counter()
        decision = trial.decide()
        engine_s += time.perf_counter() - start
        found, proof = examine(trial.group, trial.snapshot, FREIGHT_POLICY, decision, TERMS)
        faults += len(found)
        proofs[proof.value] += 1
        told = trial.searches() | {"plan": trial.state.cost(sent_of(decision, len(trial.need)))}
        if solver:
            start = time.perf_counter()
            told["milp"] = trial.state.cost(milp(trial.state))
            milp_s += time.perf_counter() - start
        for name, cost in told.items():
            compared[name] += 1
            if cost != decision.plan.cost:
                differs.setdefault(name, []).append(number)
        for name, peer in PEERS.items():
            compared[name] += 1
            if trial.state.cost(peer(trial.state)) < decision.plan.cost:
                differs.setdefault(f"{name} is cheaper", []).append(number)
    return {
        "orders": count,
        "compared": dict(compared),
        "disagreements": differs,
        "certificates": dict(proofs),
        "faults_found": faults,
        "milp_over_decide_time": round(milp_s / engine_s, 1) if solver else ABSENT,
    }
