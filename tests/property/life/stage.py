"""What every step of a life shares: the goods and sales of one run, and how the hub is worked and asked."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from hub.domain.contact import Place
from hub.domain.order import DeliveryGroup, Method
from hub.domain.payment import PaymentKind
from tests.property.life.books import check_now
from tests.property.life.partners import Line, Sale
from tests.property.life.world import World

T = TypeVar("T")

THEN: Final = st.sampled_from(("", "work", "work", "send", "send"))
"""What the hub gets done before the next step: nothing, its own work, or its messages to others too."""

PICK: Final = st.integers(0, 11)
"""Which of what there is. Never drawn from what the hub made: how far it has come is not the same every time."""

CORNER_UNITS: Final = 2
"""Of each item, at the second store."""

FINGERPRINT: Final = (
    "SELECT md5(concat((SELECT string_agg(s::text, '' ORDER BY no) FROM slice s WHERE order_id = $1), "
    "(SELECT string_agg(h::text, '' ORDER BY no) FROM hold h WHERE order_id = $1), "
    "(SELECT string_agg(r::text, '' ORDER BY id) FROM refund r WHERE order_id = $1), "
    "(SELECT string_agg(r::text, '' ORDER BY id) FROM return_order r WHERE order_id = $1), "
    "(SELECT string_agg(c::text, '' ORDER BY no) FROM cancel_request c WHERE order_id = $1), "
    "(SELECT count(*) FROM effect WHERE order_id = $1), (SELECT count(*) FROM timeline WHERE order_id = $1)))"
)


def choose(pick: int, among: Sequence[T]) -> T:
    """One of them; there is at least one."""
    return among[pick % len(among)]


class Stage(RuleBasedStateMachine):
    """One run: items of its own at three nodes."""

    runner: ClassVar[asyncio.Runner]
    world: ClassVar[World]
    steps: ClassVar[int] = 0
    found: ClassVar[list[Exception]]
    """What went wrong, first of all the first."""

    number: int
    skus: dict[str, int]
    """Two items that lie on shelves, and a kit of them."""
    sales: dict[str, Sale]
    doubted: set[tuple[str, str]]
    """Shelves of which somebody said that goods are missing: (location, SKU)."""

    async def stock_up(self, shelves: list[int]) -> None:
        world, names = self.world, [f"{word}-{self.number}" for word in ("CUP", "POT", "SET")]
        cup, pot = await world.item(names[0]), await world.item(names[1])
        self.skus = {names[0]: cup, names[1]: pot, names[2]: await world.item(names[2], (cup, 2), (pot, 1))}
        places = [(sku, code) for sku in names[:2] for code in ("EAST", "WEST", "STORE")]
        for (sku, code), units in zip(places, shelves, strict=True):
            await world.house.shelf(world.nodes[code], self.skus[sku], units)
            world.depot.shelves[code, sku] = units
        for sku in names[:2]:
            await world.house.shelf(world.nodes["CORNER"], self.skus[sku], CORNER_UNITS)

    @property
    def own(self) -> list[str]:
        """Orders that the hub made itself, by external id: transfers and exchanges."""
        found: list[str] = self.__dict__.setdefault("_own", [])
        return found

    @property
    def names(self) -> list[str]:
        """Every order of this run, by external id."""
        return [*self.sales, *self.own]

    @property
    def goods(self) -> list[str]:
        """SKUs that lie on shelves."""
        return list(self.skus)[:2]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end; what goes wrong is kept, for a hub's timing is not the same in a second try."""
        try:
            return self.runner.run(work)
        except Exception as error:
            self.found.append(error)
            raise

    def go(self, then: str) -> None:
        """Let the hub work, as far as is drawn; then look into the books."""
        type(self).steps += 1
        self.run(self._go(then))

    async def _go(self, then: str) -> None:
        if then:
            await self.world.house.path()
        if then == "send":
            await self.world.send()
        await check_now(self.world, self.sales, list(self.skus))

    def place(self, lines: list[tuple[int, int]], method: Method, *, prepaid: bool, approve: bool = False) -> Sale:
        """Somebody buys; his order is on its way to the hub."""
        names = list(self.skus)
        place = Place(country="DE", postal_code="10115", latitude=52.5, longitude=13.4)
        at = "STORE" if method is Method.PICK_UP else None
        group = DeliveryGroup(method=method, contact="ship", place=place, pickup_location=at)
        sale = Sale(
            id=f"L{self.number}-{len(self.sales) + 1}",
            lines={
                str(no): Line(sku=names[which], ordered=units, wanted=units, price=1000 + which * 333)
                for no, (which, units) in enumerate(lines, 1)
            },
            group=group,
            prepaid=prepaid,
            approve=approve,
        )
        sale.pay(f"{sale.id}-pay", PaymentKind.SALE if prepaid else PaymentKind.AUTHORISE, sale.amounts.total)
        self.sales[sale.id] = self.world.market.sales[sale.id] = sale
        self.told(sale)
        return sale

    def told(self, sale: Sale) -> None:
        """The market tells the sale as it is now."""
        for name, line in sale.lines.items():
            sale.most[name] = max(sale.most.get(name, 0), line.wanted)
        self.run(self.world.tell(sale))

    def sale(self, pick: int) -> Sale:
        """Any of the sales; one that was cancelled only where there is no other."""
        return self.sales[choose(pick, self.living or list(self.sales))]

    @property
    def living(self) -> list[str]:
        """Sales that nobody has cancelled."""
        return [name for name, sale in self.sales.items() if sale.cancelled_at is None]

    def order_of(self, sale: Sale) -> str | None:
        """The hub's id, once it has taken the order."""
        sql = "SELECT id FROM customer_order WHERE external_id = $1"
        found: str | None = self.run(self.world.house.value(sql, sale.id))
        return found

    def ask(self, order: str | None, method: str, path: str, body: Any = None) -> Any:
        """Ask the hub's API; None when it says no, and then nothing has changed."""
        return self.run(self._ask(order, method, path, body))

    async def _ask(self, order: str | None, method: str, path: str, body: Any) -> Any:
        before = await self.world.house.value(FINGERPRINT, order)
        answer = await self.world.counter.ask(method, path, body)
        assert answer.status_code < 500, f"{method} {path} {body}: {answer.text}"
        if answer.is_success:
            return answer.json()
        assert answer.status_code in (404, 409, 422), f"{method} {path} {body}: {answer.text}"
        assert await self.world.house.value(FINGERPRINT, order) == before, f"refused, yet changed: {method} {path}"
        return None

    def rows(self, sql: str, *arguments: object) -> list[dict[str, Any]]:
        """Rows of a query."""
        return self.run(self.world.house.rows(sql, *arguments))

    @staticmethod
    def now() -> datetime:
        """This moment."""
        return datetime.now(UTC)
