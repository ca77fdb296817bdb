"""When a parcel leaves a node and when it has arrived, with a service that goes there."""

from datetime import datetime
from typing import Final, NamedTuple

from hub.domain.network import OpeningHours
from hub.promise.deliver_by import deliver_by
from hub.promise.lanes import Lanes
from hub.promise.offer import Service
from hub.promise.ship_by import ship_by

UNTAUGHT: Final = Lanes()


class Origin(NamedTuple):
    """What a promise asks of a node."""

    calendar: OpeningHours
    timezone: str
    country: str | None
    node: int = 0
    """Whose past parcels tell how long the next one travels."""


class Reach(NamedTuple):
    """When a parcel leaves and arrives, and the carrier's working days between."""

    ship_by: datetime
    deliver_by: datetime
    days: int


def travel(
    service: Service,
    origin: Origin,
    start: datetime,
    *,
    country: str | None,
    km: int | None,
    timezone: str,
    lanes: Lanes = UNTAUGHT,
) -> Reach | None:
    """A parcel that is asked for at `start` and goes `km` (None is unknown) to a place in a country and a zone.

    `lanes` are past parcels, as far as the rules let them move a promise. None where the service does not go. Raises
    `CalendarError`.
    """
    days = service.transit_days(origin=origin.country, country=country, km=km)
    if days is None:
        return None
    days = lanes.transit_days(origin.node, country, service.name, days)
    leaves = ship_by(start, origin.calendar, origin.timezone)
    return Reach(leaves, deliver_by(leaves, days, service.carrier, timezone), days)
