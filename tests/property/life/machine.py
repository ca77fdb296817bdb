"""The whole life of orders: every kind of step in any sequence, and an end in which everything comes to rest."""

import asyncio
import sys
from itertools import count
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import initialize, run_state_machine_as_test

from hub.domain.order import Method
from tests.property.life.books import check_rest, check_shelves
from tests.property.life.customers import Customers
from tests.property.life.dealings import Dealings
from tests.property.life.nodes import AT_STORE, Nodes
from tests.property.life.returns import PARCEL, Returns, Sent
from tests.property.life.shelves import Shelves
from tests.property.life.visitors import Visitors
from tests.property.life.weather import Weather
from tests.property.life.world import open_world

_numbers = count(1)

ROUNDS: Final = 40
PLENTY: Final = 60


class Life(Customers, Returns, Dealings, Visitors, Nodes, Shelves, Weather):
    """All steps."""

    runs = 0

    @initialize(
        shelves=st.lists(st.integers(0, 7), min_size=6, max_size=6),
        first=st.integers(1, 4),
        sold=st.booleans(),
        later=st.lists(PARCEL, max_size=4),
    )
    def open(self, shelves: list[int], first: int, sold: bool, later: list[Sent]) -> None:
        """Two items and a kit of them, two orders, of which a part may have left; `later` comes back in the end."""
        self.later = later
        self.number = next(_numbers)
        self.sales, self.doubted = {}, set()
        self.run(self.stock_up(shelves))
        self.place([(0, first), (1, 2)], Method.SHIP, prepaid=False)
        self.place([(2, 1), (1, 1)], Method.SHIP, prepaid=True)
        self.go("send")
        for job in self.jobs if sold else ():
            self.ship(job)
            self.tell(*self.world.depot.says.pop())
        self.go("send")

    def teardown(self) -> None:
        """When the steps went well: let everything come to rest, and compare all books."""
        if sys.exc_info()[0] is None and hasattr(self, "sales"):
            self.rest()
            type(self).runs += 1

    def rest(self) -> None:
        """Everybody is back, all is told, there is plenty of everything; then nothing may be left to do."""
        world = self.world
        for partner in world.partners:
            partner.away = False
            partner.faults.clear()
        world.depot.refusals.clear()
        self.run(world.house.run("UPDATE node SET enabled = true"))
        for sale in self.sales.values():
            self.told(sale)
        self.finish()
        for parcel in self.later:
            self.back(parcel)
            self.go("send")
        self.run(check_shelves(world, {sku: self.skus[sku] for sku in self.goods}, self.doubted | self._refused))
        self._lift()
        self._fill()
        self.finish()
        # The market tells once more how things stand there: what the hub cancelled it has heard of.
        for sale in self.sales.values():
            self.told(sale)
        self.finish()
        self.run(check_rest(world, self.sales, self.own))
        self.go("")

    @property
    def _refused(self) -> set[tuple[str, str]]:
        """Shelves that a refusal may have spoken of."""
        jobs = [job for job in self.world.depot.jobs.values() if job.state == "refused"]
        return {(job.location, sku) for job in jobs for sku in job.skus.values()}

    def _lift(self) -> None:
        for row in self.rows(
            "SELECT h.order_id, h.no, h.kind FROM hold h JOIN customer_order o ON o.id = h.order_id "
            "WHERE o.external_id = ANY($1::text[]) AND h.lifted_at IS NULL ORDER BY 1, 2",
            self.names,
        ):
            body = {"kind": row["kind"], "no": row["no"]}
            self.ask(row["order_id"], "POST", f"/orders/{row['order_id']}/lift", body)

    def _fill(self) -> None:
        self.run(self.world.house.run("UPDATE exclusion SET until = now() - interval '1 second'"))
        for sku in self.goods:
            for code in ("EAST", "WEST", "STORE", "CORNER"):
                self.change_shelf(code, sku, PLENTY)

    def finish(self) -> None:
        """Tell and do everything that can be done, until there is nothing more."""
        for _ in range(ROUNDS):
            says, self.world.depot.says = self.world.depot.says, []
            for key, fact in says:
                self.tell(key, fact)
            self.run(self._everything())
            jobs = self.jobs
            for job in jobs:
                self.ship(job)
            counters = self.rows(AT_STORE, self.names)
            for one in counters:
                for verb in ("ready", "collect", "ship", "put-back"):
                    self.at_the_store(one, verb)
            if not (self.decide_everything() or jobs or counters or self.world.depot.says):
                return
        raise AssertionError(f"the nodes do not come to an end: {jobs} {counters} {self.undecided()}")

    async def _everything(self) -> None:
        house = self.world.house
        await house.run("UPDATE inbox SET due_at = now()")
        await house.run("UPDATE waiting SET due_at = now()")
        await house.everything()


def live(urls: tuple[str, str], folder: Path, *, runs: int, steps: int, chosen: int | None = None) -> tuple[int, int]:
    """Live so many lives of so many steps in one hub; (lives, steps). Without a seed always the same ones."""
    with asyncio.Runner() as runner:
        world = runner.run(open_world(*urls, folder))

        # A class of its own: what hypothesis keeps of one is not taken over by the next.
        class Lived(Life):
            pass

        Lived.runner, Lived.world, Lived.steps, Lived.runs, Lived.found = runner, world, 0, 0, []
        if chosen is not None:
            seed(chosen)(Lived)
        try:
            run_state_machine_as_test(
                Lived,
                settings=settings(
                    max_examples=runs,
                    stateful_step_count=steps,
                    deadline=None,
                    database=None,
                    derandomize=chosen is None,
                    phases=(Phase.generate,),
                    print_blob=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Flaky as error:
            if Lived.found:
                raise Lived.found[0] from error
            raise
        finally:
            runner.run(world.close())
        return Lived.runs, Lived.steps
