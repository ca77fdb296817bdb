"""What customers and the market do: buy, repeat, amend, cancel, move; and what people do about it through the API."""

from typing import Final

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hub.domain.order import Method
from tests.property.life.partners import Line
from tests.property.life.stage import PICK, THEN, Stage, choose

MOST_SALES: Final = 6

basket = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), min_size=1, max_size=3)
method = st.sampled_from((Method.SHIP, Method.SHIP, Method.SHIP, Method.PICK_UP))
street = st.integers(1, 9)


class Customers(Stage):
    """Steps that begin outside the house."""

    @precondition(lambda self: len(self.sales) < MOST_SALES)
    @rule(lines=basket, method=method, prepaid=st.booleans(), company=PICK, then=THEN)
    def buy(self, lines: list[tuple[int, int]], method: Method, prepaid: bool, company: int, then: str) -> None:
        """Another order; every fourth is a company's, and somebody there has to approve it."""
        self.place(lines, method, prepaid=prepaid, approve=company % 4 == 0)
        self.go(then)

    @rule(pick=PICK, same=st.booleans(), then=THEN)
    def repeat(self, pick: int, same: bool, then: str) -> None:
        """The market sends again what it sent before, old or new, as the same delivery or by another way."""
        sale = self.sale(pick)
        version, body = choose(pick, sale.told)
        self.run(self.world.tell(sale, body, key=f"{sale.id}:{version}" if same else None))
        self.go(then)

    @rule(pick=PICK, which=PICK, units=st.integers(0, 6), then=THEN)
    def amend(self, pick: int, which: int, units: int, then: str) -> None:
        """More or fewer of a line."""
        sale = self.sale(pick)
        line = sale.lines[choose(which, sorted(sale.lines))]
        # What the hub took off there is told first: the number of before, said again, is no news.
        self.told(sale)
        line.wanted, line.ordered = units, max(units, line.ordered)
        self.told(sale)
        self.go(then)

    @rule(pick=PICK, which=st.integers(0, 2), units=st.integers(1, 3), then=THEN)
    def add_line(self, pick: int, which: int, units: int, then: str) -> None:
        """Something is added."""
        sale = self.sale(pick)
        if len(sale.lines) < 4:
            sku = list(self.skus)[which]
            sale.lines[str(len(sale.lines) + 1)] = Line(sku=sku, ordered=units, wanted=units, price=700)
        self.told(sale)
        self.go(then)

    @rule(pick=PICK, then=THEN)
    def cancel_at_the_market(self, pick: int, then: str) -> None:
        """The market cancels the whole order; one of them lives on."""
        sale = self.sale(pick)
        if len(self.living) == 1 or pick % 2:
            return
        sale.cancelled_at = sale.cancelled_at or self.now()
        self.told(sale)
        self.go(then)

    @rule(pick=PICK, which=PICK, units=st.integers(1, 2), then=THEN)
    def send_by_hand(self, pick: int, which: int, units: int, then: str) -> None:
        """Somebody at the market sends what the hub has, and nobody knows from which shelf."""
        sale = self.sale(pick)
        name = choose(which, sorted(sale.lines))
        line = sale.lines[name]
        units = min(units, line.wanted - sale.confirmed[name] - sale.handed[name])
        if units > 0 and pick % 3 == 0 and sale.cancelled_at is None:
            sale.handed[name] += units
            self.doubted |= {(code, sku) for code in ("EAST", "WEST") for sku in self.goods}
            self.told(sale)
        self.go(then)

    @rule(pick=PICK, which=PICK, kept=st.integers(0, 2), then=THEN)
    def late_older_revision(self, pick: int, which: int, kept: int, then: str) -> None:
        """Two revisions cross: the newer one comes first."""
        sale = self.sale(pick)
        line = sale.lines[choose(which, sorted(sale.lines))]
        older = sale.content()
        sale.version += 1
        line.wanted = min(line.wanted, kept)
        self.told(sale)
        self.go("work")
        body = msgspec.json.encode({"content": older, "contacts": {}})
        self.run(self.world.tell(sale, body))
        self.go(then)

    # --- people ---------------------------------------------------------------------------------------------------

    @rule(pick=PICK, which=PICK, whole=st.booleans(), units=st.integers(1, 3), then=THEN)
    def cancel(self, pick: int, which: int, whole: bool, units: int, then: str) -> None:
        """Somebody cancels an order, or some units of a line."""
        sale = self.sale(pick)
        if order := self.order_of(sale):
            line = choose(which, sorted(sale.lines))
            everything = whole and pick % 3 == 0 and len(self.living) > 1
            lines = {} if everything else {"lines": {line: units}}
            self.ask(order, "POST", f"/orders/{order}/cancel", {"reason": "customer", **lines})
        self.go(then)

    @rule(pick=PICK, scope=st.sampled_from(("order", "group:main")), then=THEN)
    def hold(self, pick: int, scope: str, then: str) -> None:
        """Somebody wants to look at it first."""
        if order := self.order_of(self.sale(pick)):
            self.ask(order, "POST", f"/orders/{order}/hold", {"reason": "look", "scope": scope})
        self.go(then)

    @rule(pick=PICK, then=THEN)
    def lift(self, pick: int, then: str) -> None:
        """He has looked."""
        if order := self.order_of(self.sale(pick)):
            self.ask(order, "POST", f"/orders/{order}/lift", {})
        self.go(then)

    @rule(pick=PICK, then=THEN)
    def reroute(self, pick: int, then: str) -> None:
        """Decide anew."""
        if order := self.order_of(self.sale(pick)):
            self.ask(order, "POST", f"/orders/{order}/reroute")
        self.go(then)

    @rule(pick=PICK, number=street, then=THEN)
    def move(self, pick: int, number: int, then: str) -> None:
        """Another address."""
        if order := self.order_of(self.sale(pick)):
            address = {"name": "Ada", "lines": [f"{number} Weg"], "city": "Berlin", "postal_code": "10115"}
            self.ask(order, "POST", f"/orders/{order}/address", {"address": {**address, "country": "DE"}})
        self.go(then)

    @precondition(lambda self: any(sale.group.method is Method.PICK_UP for sale in self.sales.values()))
    @rule(pick=PICK, ship=st.booleans(), then=THEN)
    def collect_elsewhere(self, pick: int, ship: bool, then: str) -> None:
        """What was to be collected is shipped, or collected at another place."""
        collected = [name for name, sale in self.sales.items() if sale.group.method is Method.PICK_UP]
        if order := self.order_of(self.sales[choose(pick, collected)]):
            body = {"reason": "asked", "ship": True} if ship else {"reason": "asked", "node": "STORE"}
            self.ask(order, "POST", f"/orders/{order}/pick-up", body)
        self.go(then)
