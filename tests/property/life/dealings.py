"""Orders of the hub's own: goods between nodes, something else instead, goods of nobody, offers, approvals."""

from itertools import count
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from hub.domain.fulfilment import OFFER_MARK
from tests.property.life.returns import GONE, OPEN
from tests.property.life.stage import PICK, THEN, Stage, choose

UNDER_WAY: Final = (
    "SELECT DISTINCT s.order_id, s.fulfilment_no AS no FROM slice s JOIN customer_order o ON o.id = s.order_id "
    "WHERE o.external_id = ANY($1::text[]) AND s.state = 'in_transit' ORDER BY 1, 2"
)
OFFERS: Final = (
    "SELECT f.order_id, f.no FROM offer f JOIN customer_order o ON o.id = f.order_id "
    "WHERE o.external_id = ANY($1::text[]) AND f.state = 'open' ORDER BY f.order_id, f.no"
)
UNAPPROVED: Final = (
    "SELECT DISTINCT h.order_id FROM hold h JOIN customer_order o ON o.id = h.order_id "
    "WHERE o.external_id = ANY($1::text[]) AND h.kind LIKE 'approval%' AND h.lifted_at IS NULL ORDER BY 1"
)

_numbers = count(1)


class Dealings(Stage):
    """Steps between nodes, and of people who decide."""

    @rule(sender=st.sampled_from((None, "EAST", "WEST", "CORNER")), which=st.integers(0, 1), units=st.integers(1, 3),
          then=THEN)  # fmt: skip
    def transfer(self, sender: str | None, which: int, units: int, then: str) -> None:
        """Goods are wanted at the store."""
        if len(self.own) < 3:
            body: dict[str, Any] = {
                "to": "STORE",
                "lines": [{"sku": self.goods[which], "quantity": units}],
                "reference": f"T-{next(_numbers)}",
            } | ({"from": sender} if sender else {})
            if made := self.run(self._captured("/transfers", body)):
                self.own.append(made["external_id"])
        self.go(then)

    async def _captured(self, path: str, body: dict[str, Any]) -> Any:
        """The order that was made, if there is one."""
        answer = await self.world.counter.capture(path, body)
        assert answer.status_code in (201, 409, 422), f"{path} {body}: {answer.text}"
        return answer.json() if answer.is_success else None

    @rule(pick=PICK, then=THEN)
    def receive_transfer(self, pick: int, then: str) -> None:
        """Goods that were under way arrive at the store."""
        if found := self.rows(UNDER_WAY, self.names):
            self.arrive(choose(pick, found))
        self.go(then)

    def arrive(self, one: dict[str, Any]) -> None:
        """All of a transfer is received."""
        self.ask(one["order_id"], "POST", f"/fulfilment-orders/{one['order_id']}-{one['no']}/receive")

    @rule(pick=PICK, which=st.integers(0, 2), more=st.booleans(), then=THEN)
    def exchange(self, pick: int, which: int, more: bool, then: str) -> None:
        """The customer wants something else instead; sometimes something dearer."""
        if found := self.rows(OPEN, list(self.sales)):
            one = choose(pick, found)
            good: dict[str, Any] = {"sku": list(self.skus)[which], "quantity": 1}
            body = {"lines": [good | ({"amount": 9900} if more else {})]}
            made = self.ask(one["order_id"], "POST", f"/returns/{one['id']}/exchange", body)
            if made:
                self.own.append(made["exchange"])
        self.go(then)

    @rule(pick=PICK, units=st.integers(1, 2), known=st.booleans(), found=st.booleans(), then=THEN)
    def comes_back_unasked(self, pick: int, units: int, known: bool, found: bool, then: str) -> None:
        """Goods arrive that nobody announced: of an order, or of nobody until somebody says whose they are."""
        gone = self.rows(GONE, list(self.sales))
        if gone:
            one = choose(pick, gone)
            line: dict[str, Any] = {"line": one["line"]} if known else {"sku": self.goods[pick % 2]}
            body = {"blind": True, "node": "STORE", "lines": [{**line, "quantity": units}]}
            opened = self.ask(one["id"], "POST", "/returns", body | ({"order": one["id"]} if known else {}))
            if opened and found and not known:
                self.ask(one["id"], "POST", f"/returns/{opened['id']}/match", {"order": one["id"]})
        self.go(then)

    @rule(pick=PICK, take=st.booleans(), then=THEN)
    def store_answers_offer(self, pick: int, take: bool, then: str) -> None:
        """One of several stores takes an order, or will not."""
        if found := self.rows(OFFERS, self.names):
            one = choose(pick, found)
            self.answer(one, "claim" if take else "refuse")
        self.go(then)

    def answer(self, one: dict[str, Any], verb: str) -> bool:
        """A store's answer; whether it came in time."""
        id = f"{one['order_id']}{OFFER_MARK}{one['no']}"
        return self.ask(one["order_id"], "POST", f"/offers/{id}/{verb}") is not None

    @rule(pick=PICK, fine=st.booleans(), then=THEN)
    def approve(self, pick: int, fine: bool, then: str) -> None:
        """Whoever may approve an order does, or declines it; one sale lives on."""
        if found := self.rows(UNAPPROVED, self.names):
            order = choose(pick, found)["order_id"]
            if fine or len(self.living) == 1:
                self.ask(order, "POST", f"/orders/{order}/approve")
            else:
                self.ask(order, "POST", f"/orders/{order}/decline", {"reason": "too much"})
        self.go(then)

    def decide_everything(self) -> bool:
        """Take every offer, approve every order, receive every transfer; whether there was any."""
        unapproved, offers, arriving = self.undecided()
        for one in unapproved:
            self.ask(one["order_id"], "POST", f"/orders/{one['order_id']}/approve")
        # An offer of what is not to be sent any more ends with its time.
        answered = [one for one in offers if self.answer(one, "claim") or self.answer(one, "refuse")]
        for one in arriving:
            self.arrive(one)
        return bool(unapproved or answered or arriving)

    def undecided(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        """Orders that nobody approved, offers that nobody answered, transfers that nobody received."""
        return self.rows(UNAPPROVED, self.names), self.rows(OFFERS, self.names), self.rows(UNDER_WAY, self.names)
