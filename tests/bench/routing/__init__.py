"""`make bench-routing`: how fast the router is, how sure, and how much better than others. Prints and writes figures.

Nothing here asserts on time: trust ratios, the machine is shared.
"""

from tests.bench.routing.report import measure

__all__ = ["measure"]
