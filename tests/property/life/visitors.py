"""What the customer does on the page of a signed link, and what befalls goods that are awaited or under way."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.life.dealings import UNDER_WAY
from tests.property.life.nodes import AT_STORE
from tests.property.life.stage import FINGERPRINT, PICK, THEN, Stage, choose

AWAITED: Final = (
    "SELECT s.reference, n.code, i.sku, s.due FROM supply s JOIN node n ON n.id = s.node_id JOIN item i "
    "ON i.id = s.item_id WHERE i.sku = ANY($1::text[]) ORDER BY s.id"
)
FORM: Final = r'action="[^"]*/{}"><input type="hidden" name="form" value="([^"]+)"'


class Visitors(Stage):
    """Steps of whoever has no login, and of goods that come later or never."""

    @rule(pick=PICK, what=st.sampled_from(("cancel", "address", "address", "return")), late=st.booleans(), then=THEN)
    def on_the_page(self, pick: int, what: str, late: bool, then: str) -> None:
        """A customer presses a button of the order's page, at once or after the hub has worked on; then again."""
        sale = self.sale(pick)
        order = None if what == "cancel" and len(self.living) == 1 else self.order_of(sale)
        if order:
            path = "/o/" + self.ask(order, "POST", f"/orders/{order}/link")["url"].rpartition("/o/")[2]
            html = self.run(self.world.counter.client.get(path)).text
            found = re.search(FORM.format(what), html)
            if found:
                if late:
                    self.go("send")
                fields = {"name": "Ada", "street": f"{pick} Weg", "city": "Berlin", "postal_code": "10115"}
                units = dict.fromkeys(re.findall(r'name="(units-[^"]+)"', html)[:1], "1")
                form = {"form": found[1], "country": "DE", **fields, **units}
                self.run(self._press(order, f"{path}/{what}", form))
        self.go(then)

    async def _press(self, order: str, path: str, form: dict[str, str]) -> None:
        """Twice, as people do: the second time does nothing more; nor does what is refused."""
        client, house = self.world.counter.client, self.world.house
        before = await house.value(FINGERPRINT, order)
        answer = await client.post(path, data=form)
        assert answer.status_code in (303, 409), f"{path}: {answer.status_code}"
        after = await house.value(FINGERPRINT, order)
        assert answer.status_code == 303 or after == before, f"refused, yet changed: {path}"
        again = await client.post(path, data=form)
        assert again.status_code == answer.status_code, f"{path}: {again.status_code} the second time"
        assert await house.value(FINGERPRINT, order) == after, f"pressed twice, done twice: {path}"

    @rule(pick=PICK, days=st.integers(-3, 20), units=st.integers(0, 6), then=THEN)
    def slip(self, pick: int, days: int, units: int, then: str) -> None:
        """What is awaited comes later, sooner, more, less or not at all."""
        if rows := self.rows(AWAITED, self.goods):
            one = choose(pick, rows)
            due = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
            body = {
                "reference": one["reference"],
                "node": one["code"],
                "sku": one["sku"],
                "quantity": units,
                "due": due,
            }
            self.ask(None, "PUT", "/supply", body)
        self.go(then)

    @rule(pick=PICK, minutes=st.sampled_from((0, 0, 600)), stops=st.sampled_from(("release", "post")), then=THEN)
    def hold_for_a_while(self, pick: int, minutes: int, stops: str, then: str) -> None:
        """Somebody wants it to wait until a time; twice for the same reason."""
        if order := self.order_of(self.sale(pick)):
            until = (self.now() + timedelta(minutes=minutes, seconds=0.05)).isoformat()
            body: dict[str, Any] = {"reason": "wait", "kind": "manual", "stops": [stops], "until": until}
            for _ in range(2):
                self.ask(order, "POST", f"/orders/{order}/hold", body)
        self.go(then)

    @rule(pick=PICK, verb=st.sampled_from(("lose", "receive")), then=THEN)
    def some_arrive(self, pick: int, verb: str, then: str) -> None:
        """A unit of what is under way arrives, or will not."""
        if found := self.rows(UNDER_WAY, self.names):
            one = choose(pick, found)
            body = {"lines": [{"sku": self.goods[pick % 2], "quantity": 1}]}
            self.ask(one["order_id"], "POST", f"/fulfilment-orders/{one['order_id']}-{one['no']}/{verb}", body)
        self.go(then)

    @rule(pick=PICK, then=THEN)
    def collect_some(self, pick: int, then: str) -> None:
        """A customer takes one thing along, and leaves the rest at the store."""
        if found := self.rows(AT_STORE, self.names):
            one = choose(pick, found)
            path = f"/fulfilment-orders/{one['order_id']}-{one['no']}"
            for verb in ("pick", "ready"):
                self.ask(one["order_id"], "POST", f"{path}/{verb}")
            body = {"override_reason": "known", "lines": [{"sku": self.goods[pick % 2], "quantity": 1}]}
            self.ask(one["order_id"], "POST", f"{path}/collect", body)
        self.go(then)
