"""All parts in one, and as tables."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.bench.routing import agreement, baskets, jasin_sinha, speed, stream
from tests.bench.routing.instances import SPARING_POLICY
from tests.bench.routing.timing import Figures

STREAM_TARGETS: Final = {"retail-5": 0.955, "basket-10": 0.90}
"""Cost over the proximity walk that the exact router is to stay below."""
BASKET_TARGETS_US: Final = {"p50_us": 40, "p99_us": 2000}
"""Of the search, for real baskets of up to 8 lines."""
BOUND_TARGET: Final = 1.08
"""Cost over the fluid bound on the test bed."""


def measure(quick: bool = True) -> Figures:
    """Every figure. The long form takes some four minutes on one core, the quick one half of one."""
    shops = [shop for shop in map(baskets.load, baskets.SOURCES) if shop is not None] or [baskets.made_up()]
    cycles = 1 if quick else 3
    return {
        "quick": quick,
        "speed": speed.measure(20 if quick else 100),
        "agreement": agreement.measure(100 if quick else 1000),
        "streams": {
            shop.name: stream.measure(shop, cycles, [("exact, sparing shelves", SPARING_POLICY)]) for shop in shops
        },
        "jasin_sinha": jasin_sinha.measure(*((2, 1) if quick else (30, 1))),
        "targets": {
            "search_p50_us": {f"{lines}x{nodes}": most for (lines, nodes), most in speed.TARGETS_US.items()},
            "real_baskets_up_to_8_lines": BASKET_TARGETS_US,
            "over_proximity_walk": STREAM_TARGETS,
            "over_fluid_bound": BOUND_TARGET,
        },
    }


def tell(figures: Mapping[str, Any]) -> None:
    """Print the figures."""
    _tell_speed(figures["speed"])
    _tell_agreement(figures["agreement"])
    for name, told in figures["streams"].items():
        _tell_stream(name, told)
    _tell_bound(figures["jasin_sinha"])


def _tell_speed(told: Mapping[str, Any]) -> None:
    print(told["timed"])
    for part, title in (("up_to_8_lines", "Up to 8 lines"), ("above_8_lines", "Above 8 lines")):
        print(f"\n{title}: µs by lines x nodes; the floor is one look at every stock figure")
        rows = []
        for size, figure in told[part].items():
            search, decide = figure["search"], figure["decide"]
            rows.append(
                (
                    size,
                    *(_us(search[key]) for key in ("p50_us", "p95_us", "p99_us")),
                    f"{figure['search_over_floor']:.1f}",
                    _us(figure["target_search_p50_us"]),
                    *(_us(decide[key]) for key in ("p50_us", "p99_us")),
                    f"{figure['decide_over_floor']:.1f}",
                    f"{figure['proven_share']:.0%}",
                    f"{figure['largest_gap']:.1%}",
                    _certified(figure),
                )
            )
        head = ("", "search p50", "p95", "p99", "/ floor", "target p50", "decide p50", "p99", "/ floor", "proven")
        _table((*head, "largest gap", "certificates"), rows)
    print("\nOn the path: µs of a whole decision under a policy of 20 rules, 70 % of all pairs in stock")
    _table(
        ("", "p50", "p99", "target p50", "unprepared p50", "with bytes p50", "explained p50"),
        [
            (
                size,
                _us(figure["decide"]["p50_us"]),
                _us(figure["decide"]["p99_us"]),
                _us(figure["target_p50_us"]),
                _us(figure["unprepared_p50_us"]),
                _us(figure["with_bytes_p50_us"]),
                _us(figure["explained"]["p50_us"]),
            )
            for size, figure in told["on_the_path"].items()
        ],
    )
    print(f"  an explanation is to take at most {told['target_explained_p50_us']}; yardstick {told['yardstick_us']} µs")


def _tell_agreement(told: Mapping[str, Any]) -> None:
    print(f"\n{told['orders']} random orders at the same state: cost of the plan against every search, solver and peer")
    print("  " + ", ".join(f"{name} {count}" for name, count in told["compared"].items()))
    print(f"  disagreements: {told['disagreements'] or 'none'}; certificates: {_certified(told)}")
    print(f"  the general solver takes {told['milp_over_decide_time']} times as long as a whole decision")


def _tell_stream(name: str, told: Mapping[str, Any]) -> None:
    print(f"\nStream {name}, {told['cycles']} cycles of 28 days: {told['made_up']}")
    rows = [
        (
            router,
            f"{figure['usd_per_order']:.2f}",
            f"{figure['over_proximity_walk']:.4f}",
            f"{min(figure['per_cycle']):.3f} to {max(figure['per_cycle']):.3f}",
            f"{figure['parcels_per_order']:.2f}",
            f"{figure['unfilled_lines']:.1%}",
        )
        for router, figure in told["routers"].items()
    ]
    _table(("", "USD an order", "/ proximity walk", "by cycle", "parcels an order", "lines unfilled"), rows)
    if name in STREAM_TARGETS:
        print(f"  exact / proximity walk is to be at most {STREAM_TARGETS[name]}")
    engine = told["engine"]
    print("  order by order at the same state, cost over exact and share of orders where it is dearer:")
    for peer, figure in engine["peers_at_the_same_state"].items():
        print(f"    {peer}: {figure['cost_over_exact']:.4f}, {figure['worse_on_share_of_orders']:.1%}")
    print(f"  orders where a peer is cheaper: {engine['orders_where_a_peer_is_cheaper']}", end="; ")
    print(f"certificates: {_certified(engine)}")
    head = ("  lines", "orders", "search p50", "p95", "p99", "decide p50", "p99", "proven", "largest gap")
    _table(
        head,
        [
            (
                f"  {lines}",
                str(figure["search"]["count"]),
                *(_us(figure["search"][key]) for key in ("p50_us", "p95_us", "p99_us")),
                *(_us(figure["decide"][key]) for key in ("p50_us", "p99_us")),
                f"{figure['proven_share']:.1%}",
                f"{figure['largest_gap']:.1%}",
            )
            for lines, figure in engine["by_lines"].items()
        ],
    )
    print(
        f"  search of 1-8 lines is to take at most {BASKET_TARGETS_US['p50_us']} p50, {BASKET_TARGETS_US['p99_us']} p99"
    )


def _tell_bound(told: Mapping[str, Any]) -> None:
    if "not run" in told:
        print(f"\nJasin-Sinha test bed not run: {told['not run']}")
        return
    print(f"\nJasin-Sinha test bed, {told['setting']}: cost over the fluid bound, {told['instances']} instances")
    _table(
        ("", "mean", "sd", "smallest", "largest"),
        [
            (name, *(f"{value:.4f}" for value in figure.values()))
            for name, figure in told["cost_over_fluid_bound"].items()
        ],
    )
    print(f"  certificates: {_certified(told)}")
    print(f"  exact is to be at most {BOUND_TARGET}; it knows no arrival rates, the bound does")


def _certified(figure: Mapping[str, Any]) -> str:
    told = ", ".join(f"{count} {proof}" for proof, count in figure["certificates"].items())
    return f"{told}; {figure['faults_found']} faults"


def _us(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        name, *cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join((name.strip().ljust(widths[0]), *cells)))
