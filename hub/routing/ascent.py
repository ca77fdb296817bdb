"""Prices that prove a lower bound: Erlenkotter's dual ascent with adjustment, in integers.

Every want offers a price for each of its parts; a node is open when those that would use it pay for its parcel. As long
as no node is paid more than its parcel costs, what all wants offer together is below the cost of any plan.
A. Erlenkotter, "A dual-based procedure for uncapacitated facility location", Operations Research 26 (1978).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Offers = Sequence[tuple[int, int, int]]
"""(cost of a part, candidate, parts that it has) of one want, cheapest first."""


class Ascent(NamedTuple):
    """`bound` on the cost of any plan, the candidates that were paid for, and those that wants pay twice for."""

    bound: int
    steps: int
    """Work done, counted."""
    opened: list[int]
    contested: list[int]
    """Candidates that keep the bound from being reached, the most contested first; empty when it is."""
    prices: list[int]
    """Per want, for one part."""
    slack: dict[int, int]
    """Per candidate: what its parcel costs beyond what it is paid."""


class Prices:
    """Prices and what is left of each parcel's cost. `ceilings` are the costs of leaving a part over."""

    def __init__(
        self, offers: Sequence[Offers], needs: Sequence[int], ceilings: Sequence[int | None], fixed: Mapping[int, int]
    ) -> None:
        self.offers = offers
        self.needs = needs
        self.slack = dict(fixed)
        self.ceilings = [
            _unbounded(own, fixed) if top is None else top for own, top in zip(offers, ceilings, strict=True)
        ]
        self.price = [min(own[0][0], top) if own else top for own, top in zip(offers, self.ceilings, strict=True)]
        self.reach = [self._reached(want) for want in range(len(offers))]
        self.order = sorted(range(len(offers)), key=lambda want: len(offers[want]))
        self.steps = sum(len(own) for own in offers)

    def _reached(self, want: int) -> int:
        price, own = self.price[want], self.offers[want]
        reach = 0
        while reach < len(own) and own[reach][0] <= price:
            reach += 1
        return reach

    def total(self) -> int:
        """What all wants offer together."""
        return sum(price * need for price, need in zip(self.price, self.needs, strict=True))

    def raise_all(self, wants: Sequence[int]) -> None:
        """Raise prices, each to its next offer at a time, until the slack of some node stops every one of them."""
        while wants:
            wants = [want for want in wants if self._raise(want)]

    def _raise(self, want: int) -> bool:
        own, reach, price, slack = self.offers[want], self.reach[want], self.price[want], self.slack
        self.steps += 1 + reach
        top = self.ceilings[want]
        if reach < len(own) and own[reach][0] < top:
            top = own[reach][0]
        step = top - price
        paid = own[:reach]
        for _, candidate, parts in paid:
            if slack[candidate] < step * parts:
                step = slack[candidate] // parts
        if step <= 0:
            return False
        for _, candidate, parts in paid:
            slack[candidate] -= step * parts
        price += step
        self.price[want] = price
        while reach < len(own) and own[reach][0] <= price:
            reach += 1
        if reach == self.reach[want]:
            return False
        self.reach[want] = reach
        return True

    def lower(self, want: int) -> set[int]:
        """Take a price back to the highest offer below it; returns the candidates that it paid for."""
        own, price = self.offers[want], self.price[want]
        below = max((cost for cost, _, _ in own if cost < price), default=price)
        freed = [(candidate, parts) for cost, candidate, parts in own[: self.reach[want]] if cost < price]
        for candidate, parts in freed:
            self.slack[candidate] += (price - below) * parts
        self.price[want] = below
        self.reach[want] = self._reached(want)
        return {candidate for candidate, _ in freed}

    def state(self) -> tuple[list[int], list[int], dict[int, int]]:
        """A copy to come back to."""
        return self.price[:], self.reach[:], self.slack.copy()

    def restore(self, state: tuple[list[int], list[int], dict[int, int]]) -> None:
        """Come back to a copy."""
        self.price, self.reach, self.slack = state

    def opened(self) -> list[int]:
        """Candidates paid in full that together serve every want at a price it offers, chosen one by one."""
        chosen: list[int] = []
        options = []
        for want in self.order:
            paid = [k for _, k, parts in self.offers[want][: self.reach[want]] if self.slack[k] < parts]
            options.append(paid)
            if len(paid) == 1 and paid[0] not in chosen:
                chosen.append(paid[0])
        for paid in options:
            if paid and not any(candidate in chosen for candidate in paid):
                chosen.append(paid[0])
        return chosen

    def payers(self, opened: Sequence[int]) -> dict[int, list[int]]:
        """Wants that pay for two or more opened candidates though one would do, with those candidates."""
        found = {}
        for want, own in enumerate(self.offers):
            price = self.price[want]
            paid = [k for cost, k, _ in own[: self.reach[want]] if cost < price and k in opened]
            if len(paid) > 1:
                found[want] = paid
        return found


def _unbounded(own: Offers, fixed: Mapping[int, int]) -> int:
    """A price above which a want that may not be left over has no reason to go."""
    return max((cost + fixed[candidate] for cost, candidate, _ in own), default=0)


def ascend(
    offers: Sequence[Offers], needs: Sequence[int], ceilings: Sequence[int | None], fixed: Mapping[int, int]
) -> Ascent:
    """The bound for wants of `needs` parts each, where opening a candidate costs `fixed`.

    Leaving a part over costs its ceiling; None is a part that may not be left.
    """
    prices = Prices(offers, needs, ceilings, fixed)
    prices.raise_all(prices.order)
    opened = prices.opened()
    payers = prices.payers(opened)
    improved = True
    while payers and improved:
        improved = False
        for want in list(payers):
            improved |= _adjust(prices, want)
        opened = prices.opened()
        payers = prices.payers(opened)
    votes: dict[int, int] = {}
    for paid in payers.values():
        for candidate in paid:
            votes[candidate] = votes.get(candidate, 0) + 1
    contested = sorted(votes, key=lambda candidate: (-votes[candidate], candidate))
    return Ascent(prices.total(), prices.steps, opened, contested, prices.price, prices.slack)


def _adjust(prices: Prices, want: int) -> bool:
    """Lower one price that pays for several nodes, let the others rise first; keep it when the sum has grown."""
    before, kept = prices.total(), prices.state()
    freed = prices.lower(want)
    waiting = [
        n for n in prices.order if n != want and any(k in freed for _, k, _ in prices.offers[n][: prices.reach[n]])
    ]
    prices.raise_all(waiting)
    prices.raise_all([want, *waiting])
    if prices.total() > before:
        return True
    prices.restore(kept)
    return False
