"""What comes back: asked for, received, graded, given up; and money that goes back with or without goods."""

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from hub.domain.returns import Disposition, RefundWhen
from tests.property.life.stage import PICK, THEN, Stage, choose

OPEN: Final = (
    "SELECT r.id, r.order_id FROM return_order r JOIN customer_order o ON o.id = r.order_id "
    "WHERE o.external_id = ANY($1::text[]) AND r.state NOT IN ('closed', 'cancelled', 'refused') ORDER BY r.id"
)
GONE: Final = (
    "SELECT DISTINCT o.external_id, d.line, o.id FROM customer_order o JOIN demand d ON d.order_id = o.id JOIN slice s "
    "ON s.order_id = d.order_id AND s.demand_no = d.no WHERE o.external_id = ANY($1::text[]) "
    "AND s.state IN ('shipped', 'delivered', 'collected') ORDER BY 1, 2"
)
PLACES: Final = ("EAST", "WEST", "STORE")
WHAT: Final = ("receive", "receive", "grade", "grade", "close", "cancel")
Sent = tuple[int, int, RefundWhen | None, str, Disposition]
"""Which line, how many units, when they are paid back, how far they get at once, what is made of them."""

PARCEL: Final = st.tuples(
    PICK,
    st.integers(1, 3),
    st.none() | st.sampled_from(RefundWhen),
    st.sampled_from(("asked", "received", "graded")),
    st.sampled_from(Disposition),
)


class Returns(Stage):
    """Steps of goods and money on their way back."""

    @rule(parcel=PARCEL, then=THEN)
    def send_back(self, parcel: Sent, then: str) -> None:
        """A customer sends something back; how far it gets at once is drawn too."""
        self.back(parcel)
        self.go(then)

    def back(self, parcel: Sent) -> None:
        """Units of something that has left come back, as far as the hub takes them."""
        pick, units, when, upto, made = parcel
        gone = self.rows(GONE, list(self.sales))
        if not gone:
            return
        one = choose(pick, gone)
        lines = [{"line": one["line"], "quantity": units, "reason": "damaged" if pick % 2 else "other"}]
        body = {"order": one["id"], "lines": lines} | ({"refund": when.value} if when else {})
        opened = self.ask(one["id"], "POST", "/returns", body)
        if opened and upto in ("received", "graded"):
            self.ask(one["id"], "POST", f"/returns/{opened['id']}/receive", {"node": choose(pick, PLACES)})
        if opened and upto == "graded":
            self.ask(one["id"], "POST", f"/returns/{opened['id']}/grade", {"disposition": made.value})

    @rule(pick=PICK, what=st.sampled_from(WHAT), made=st.sampled_from(Disposition), then=THEN)
    def see_to_return(self, pick: int, what: str, made: Disposition, then: str) -> None:
        """Goods arrive, or arrive again; somebody looks at them; nothing more is expected; the customer keeps them."""
        if found := self.rows(OPEN, list(self.sales)):
            one = choose(pick, found)
            body: dict[str, Any] = {
                "receive": {"node": choose(pick, PLACES)},
                "grade": {"disposition": made.value},
                "cancel": {"reason": "kept"},
                "close": None,
            }[what]  # type: ignore[assignment]
            self.ask(one["order_id"], "POST", f"/returns/{one['id']}/{what}", body)
        self.go(then)

    @rule(pick=PICK, which=PICK, amount=st.none() | st.integers(1, 4000), units=st.integers(0, 2), then=THEN)
    def refund(self, pick: int, which: int, amount: int | None, units: int, then: str) -> None:
        """Money for units, for goodwill, or all that is left."""
        sale = self.sale(pick)
        if order := self.order_of(sale):
            body: dict[str, Any] = {"order": order}
            if units:
                body["lines"] = [{"line": choose(which, sorted(sale.lines)), "quantity": units}]
            if amount is not None:
                body["amount"] = amount
            self.ask(order, "POST", "/refunds", body)
        self.go(then)
