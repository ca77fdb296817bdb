"""A proven lower bound for a choice of nodes: Erlenkotter's dual ascent with adjustment, in integers.

Every piece offers a price; a node is opened when the pieces that would use it pay for its parcel. As long as no node is
paid more than its parcel costs, the sum of the prices is below the cost of any plan. A. Erlenkotter, "A dual-based
procedure for uncapacitated facility location", Operations Research 26 (1978).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Offers = Sequence[tuple[int, int]]
"""(cost, candidate) of one piece, cheapest first."""


class Ascent(NamedTuple):
    """`bound` on the cost of any plan, the candidates that were paid for, and those that pieces pay twice for."""

    bound: int
    steps: int
    """Work done, counted."""
    opened: list[int]
    contested: list[int]
    """Candidates that keep the bound from being reached, the most contested first; empty when it is."""


class Prices:
    """Prices and what is left of each parcel's cost. `ceilings` are the costs of leaving a piece over."""

    def __init__(self, offers: Sequence[Offers], ceilings: Sequence[int], fixed: Mapping[int, int]) -> None:
        self.offers = offers
        self.ceilings = ceilings
        self.slack = dict(fixed)
        self.price = [min(own[0][0], top) if own else top for own, top in zip(offers, ceilings, strict=True)]
        self.reach = [self._reached(piece) for piece in range(len(offers))]
        self.order = sorted(range(len(offers)), key=lambda piece: len(offers[piece]))
        self.steps = sum(len(own) for own in offers)

    def _reached(self, piece: int) -> int:
        price, own = self.price[piece], self.offers[piece]
        reach = 0
        while reach < len(own) and own[reach][0] <= price:
            reach += 1
        return reach

    def raise_all(self, pieces: Sequence[int]) -> None:
        """Raise prices, each to its next offer at a time, until the slack of some node stops every one of them."""
        moved = True
        while moved:
            moved = False
            for piece in pieces:
                moved |= self._raise(piece)

    def _raise(self, piece: int) -> bool:
        own, reach, price = self.offers[piece], self.reach[piece], self.price[piece]
        self.steps += 1 + reach
        top = self.ceilings[piece]
        if reach < len(own):
            top = min(top, own[reach][0])
        step = top - price
        for _, candidate in own[:reach]:
            if self.slack[candidate] < step:
                step = self.slack[candidate]
        if step <= 0:
            return False
        self.price[piece] = price + step
        for _, candidate in own[:reach]:
            self.slack[candidate] -= step
        self.reach[piece] = self._reached(piece)
        return self.reach[piece] > reach

    def lower(self, piece: int) -> set[int]:
        """Take a price back to the highest offer below it; returns the candidates that it paid for."""
        own, price = self.offers[piece], self.price[piece]
        below = max((cost for cost, _ in own if cost < price), default=price)
        freed = [candidate for cost, candidate in own[: self.reach[piece]] if cost < price]
        for candidate in freed:
            self.slack[candidate] += price - below
        self.price[piece] = below
        self.reach[piece] = self._reached(piece)
        return set(freed)

    def state(self) -> tuple[list[int], list[int], dict[int, int]]:
        """A copy to come back to."""
        return self.price[:], self.reach[:], dict(self.slack)

    def restore(self, state: tuple[list[int], list[int], dict[int, int]]) -> None:
        """Come back to a copy."""
        self.price, self.reach, self.slack = state

    def opened(self) -> list[int]:
        """Candidates paid in full that together serve every piece at a price it offers, chosen one by one."""
        chosen: list[int] = []
        options = []
        for piece in self.order:
            paid = [(cost, k) for cost, k in self.offers[piece][: self.reach[piece]] if self.slack[k] == 0]
            options.append(paid)
            if len(paid) == 1 and paid[0][1] not in chosen:
                chosen.append(paid[0][1])
        for paid in options:
            if paid and not any(candidate in chosen for _, candidate in paid):
                chosen.append(paid[0][1])
        return chosen

    def payers(self, opened: Sequence[int]) -> dict[int, list[int]]:
        """Pieces that pay for two or more opened candidates though they use one, with those candidates."""
        found = {}
        for piece, own in enumerate(self.offers):
            price = self.price[piece]
            paid = [candidate for cost, candidate in own[: self.reach[piece]] if cost < price and candidate in opened]
            if len(paid) > 1:
                found[piece] = paid
        return found


def ascend(offers: Sequence[Offers], ceilings: Sequence[int], fixed: Mapping[int, int]) -> Ascent:
    """The bound for pieces with `offers`, where opening a candidate costs `fixed` and leaving a piece its ceiling."""
    prices = Prices(offers, ceilings, fixed)
    prices.raise_all(prices.order)
    opened = prices.opened()
    payers = prices.payers(opened)
    improved = True
    while payers and improved:
        improved = False
        for piece in list(payers):
            improved |= _adjust(prices, piece)
        opened = prices.opened()
        payers = prices.payers(opened)
    votes: dict[int, int] = {}
    for paid in payers.values():
        for candidate in paid:
            votes[candidate] = votes.get(candidate, 0) + 1
    return Ascent(
        sum(prices.price), prices.steps, opened, sorted(votes, key=lambda candidate: (-votes[candidate], candidate))
    )


def _adjust(prices: Prices, piece: int) -> bool:
    """Lower one price that pays for several nodes, let the others rise first; keep it when the sum has grown."""
    before, kept = sum(prices.price), prices.state()
    freed = prices.lower(piece)
    waiting = [
        n for n in prices.order if n != piece and any(k in freed for _, k in prices.offers[n][: prices.reach[n]])
    ]
    prices.raise_all(waiting)
    prices.raise_all([piece, *waiting])
    if sum(prices.price) > before:
        return True
    prices.restore(kept)
    return False
