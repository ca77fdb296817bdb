"""The last peer: each order as a mixed-integer programme for a general solver, HiGHS. Not there without `highspy`."""

from importlib.util import find_spec
from typing import Any, Final

from tests.bench.routing.state import Sent, State

PRESENT: Final = find_spec("highspy") is not None
ABSENT: Final = "highspy is not installed"


def quiet() -> Any:
    """A solver that says nothing and stops at the optimum."""
    import highspy

    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.5)  # costs are integers
    return solver


def milp(state: State) -> Sent:
    """The optimum. Raises `ImportError` without `highspy`."""
    solver, whole = quiet(), state.whole()
    opened = [solver.addBinary(obj=float(cost)) for cost in state.fixed]
    parts: dict[tuple[int, int], Any] = {}
    for n, asked in enumerate(state.fill()):
        if not asked:
            continue
        for node, own in enumerate(state.held):
            if own[n] and (own[n] >= asked or not whole[n]):
                most = 1 if whole[n] else own[n]
                cost = state.unit[node][n] * (asked if whole[n] else 1)
                parts[node, n] = solver.addIntegral(lb=0, ub=most, obj=float(cost))
                solver.addConstr(parts[node, n] <= most * opened[node])
        solver.addConstr(sum(part for (_, line), part in parts.items() if line == n) == (1 if whole[n] else asked))
    solver.minimize()
    sent: Sent = {}
    for (node, n), part in parts.items():
        units = round(solver.val(part)) * (state.need[n] if whole[n] else 1)
        if units:
            sent.setdefault(node, [0] * len(state.need))[n] = units
    return sent
