"""What nodes, carriers and shelves do: accept, refuse, pick, be short, ship, hand over, count; and when they say so."""

from itertools import count
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from hub.domain.facts import (
    AnyFact,
    FactLine,
    FulfilmentAccepted,
    GoodsShipped,
    ParcelScanned,
    StockMeaning,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.shipping import Parcel, ParcelLine, ScanEvent, TrackingStatus
from tests.property.life.partners import Job
from tests.property.life.stage import PICK, THEN, Stage, choose

AT_STORE: Final = (
    "SELECT f.order_id, f.no FROM fulfilment_order f JOIN customer_order o ON o.id = f.order_id "
    "WHERE o.external_id = ANY($1::text[]) AND f.connection_id IS NULL AND EXISTS (SELECT FROM slice s "
    "WHERE s.order_id = f.order_id AND s.fulfilment_no = f.no AND s.state IN ('released', 'accepted', 'picked', "
    "'packed', 'ready', 'expired')) ORDER BY f.order_id, f.no"
)
WORK: Final = ("accept", "pick", "pack", "ship", "ship", "ship", "part", "short")
VERBS: Final = ("accept", "refuse", "pick", "short", "pack", "ready", "collect", "ship", "put-back")

depots = st.sampled_from(("EAST", "WEST"))

_numbers = count(1)


class Nodes(Stage):
    """Steps of the depot, the store and the carrier."""

    @property
    def jobs(self) -> list[Job]:
        """What the depot could work on now, of this run."""
        mine = {row["id"] for row in self.rows("SELECT id FROM customer_order WHERE external_id = ANY($1::text[])",
                                               self.names)}  # fmt: skip
        return [job for job in self.world.depot.jobs.values() if job.open and job.fulfilment.rpartition("-")[0] in mine]

    def say(self, fact: AnyFact) -> None:
        """The depot will tell it, sooner or later."""
        self.world.depot.says.append((f"depot:{next(_numbers)}", fact))

    @rule(pick=PICK, doing=st.lists(st.sampled_from(WORK), min_size=1, max_size=3), at_once=st.booleans(), then=THEN)
    def depot_works(self, pick: int, doing: list[str], at_once: bool, then: str) -> None:
        """The depot does something, and tells it now or later."""
        for what in doing:
            if jobs := self.jobs:
                self.work(choose(pick, jobs), what)
                if at_once:
                    self.tell(*self.world.depot.says.pop())
        self.go(then)

    def work(self, job: Job, what: str) -> None:
        """One thing that is done to a job."""
        at, name = self.now(), job.fulfilment
        if what == "accept":
            self.say(FulfilmentAccepted(at=at, fulfilment=name, partner_reference=f"D-{name}"))
        elif what == "pick":
            self.say(UnitsPicked(at=at, fulfilment=name))
        elif what == "pack":
            job.packed = True
            self.say(UnitsPacked(at=at, fulfilment=name))
        elif what == "short":
            self.be_short(job, next(line for line, units in job.left.items() if units))
        else:
            self.ship(job, 1 if what == "part" else None)

    def be_short(self, job: Job, line: str) -> None:
        """A unit is not found."""
        shelf = job.location, job.skus[line]
        job.left[line] -= 1
        self.world.depot.shelves[shelf] = max(0, self.world.depot.shelves[shelf] - 1)
        self.doubted.add(shelf)
        lines = (FactLine(quantity=1, line=line),)
        self.say(UnitsShort(at=self.now(), fulfilment=job.fulfilment, lines=lines))

    def ship(self, job: Job, most: int | None = None) -> None:
        """What lies there leaves; what does not lie there is short."""
        shelves, going = self.world.depot.shelves, {}
        for line, left in job.left.items():
            shelf = job.location, job.skus[line]
            units = min(left, shelves[shelf], left if most is None else most)
            if units > 0:
                going[line] = units
                job.left[line] -= units
                shelves[shelf] -= units
        if not going:
            self.be_short(job, next(name for name, units in job.left.items() if units))
            return
        job.parcels += 1
        shipment = f"{job.fulfilment}/{job.parcels}"
        lines = tuple(ParcelLine(line=line, quantity=units) for line, units in going.items())
        parcel = Parcel(tracking=f"T{shipment}", carrier="ups", lines=lines)
        self.say(GoodsShipped(at=self.now(), fulfilment=job.fulfilment, shipment=shipment, parcels=(parcel,)))

    @rule(pick=PICK, times=st.integers(1, 2), then=THEN)
    def depot_tells(self, pick: int, times: int, then: str) -> None:
        """The depot tells something that happened, in any order, and maybe twice."""
        says = self.world.depot.says
        if says:
            key, fact = says.pop(pick % len(says))
            for _ in range(times):
                self.tell(key, fact)
        self.go(then)

    def tell(self, key: str, fact: AnyFact) -> None:
        """A fact of the depot comes in."""
        self.run(self.world.house.hear("depot", fact, key=key, deliver=False))
        if isinstance(fact, GoodsShipped):
            # Counts once under the sender's own id, by whatever other way it comes as well.
            self.run(self.world.house.hear("depot", fact, key=f"{key}:pulled", deliver=False))
            self.trackings.append(str(fact.parcels[0].tracking))

    @property
    def trackings(self) -> list[str]:
        """Parcels of this run that the hub was told of."""
        found: list[str] = self.__dict__.setdefault("_trackings", [])
        return found

    @rule(pick=PICK, status=st.sampled_from((TrackingStatus.IN_TRANSIT, TrackingStatus.DELIVERED)), then=THEN)
    def scan(self, pick: int, status: TrackingStatus, then: str) -> None:
        """A carrier saw a parcel."""
        if not self.trackings:
            return
        tracking, at = choose(pick, self.trackings), self.now()
        event = ScanEvent(at=at, status=status, raw=status.value)
        fact = ParcelScanned(at=at, tracking=tracking, carrier="ups", event=event)
        self.go("work")
        self.run(self.world.house.hear("depot", fact, deliver=False))
        self.go(then)

    @rule(meaning=st.sampled_from(StockMeaning), then=THEN)
    def depot_will_refuse(self, meaning: StockMeaning, then: str) -> None:
        """The next that it is asked for, it refuses."""
        self.world.depot.refusals.append(meaning)
        self.go(then)

    @rule(pick=PICK, verb=st.sampled_from(VERBS), then=THEN)
    def store_works(self, pick: int, verb: str, then: str) -> None:
        """Somebody at the store does something, or tries to."""
        if found := self.rows(AT_STORE, self.names):
            one = choose(pick, found)
            self.at_the_store(one, verb)
        self.go(then)

    def at_the_store(self, one: dict[str, Any], verb: str) -> Any:
        """A verb of the store, with what it needs."""
        body: dict[str, Any] | None = None
        if verb == "short":
            body = {"lines": [{"sku": self.goods[0], "quantity": 1}]}
        elif verb == "collect":
            body = {"override_reason": "known in person"}
        return self.ask(one["order_id"], "POST", f"/fulfilment-orders/{one['order_id']}-{one['no']}/{verb}", body)
