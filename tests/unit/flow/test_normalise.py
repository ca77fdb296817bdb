"""What a stored body must be, whoever's adapter read it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.domain.facts import AnyFact, FactLine, GoodsReturned, GoodsShipped, ReturnedLine, UnitsShort
from hub.domain.shipping import Parcel, ParcelLine
from hub.flow.normalise import DIRECT_TOPIC, normalise
from hub.flow.trouble import Trouble

AT = datetime(2026, 1, 16, tzinfo=UTC)
INBOUND = SimpleNamespace(connection="c", topic="t", body=b"", received_at=AT)


def read(fact: AnyFact) -> Any:
    link = SimpleNamespace(read=lambda topic, body: (fact,))
    return normalise(cast("Any", INBOUND), cast("Any", SimpleNamespace(links={"c": link})))


def shipped(*units: int) -> GoodsShipped:
    lines = tuple(ParcelLine(line="1", quantity=quantity) for quantity in units)
    return GoodsShipped(at=AT, fulfilment="F-1", shipment="S", parcels=(Parcel(), Parcel(lines=lines)))


@pytest.mark.parametrize(
    "fact",
    [
        shipped(2, -1),
        UnitsShort(at=AT, fulfilment="F-1", lines=(FactLine(line="1", quantity=-3),)),
        GoodsReturned(at=AT, receipt="R", location="L", lines=(ReturnedLine(sku="A", quantity=-1),)),
    ],
)
def test_less_than_nothing_is_not_a_fact(fact: AnyFact) -> None:
    found = read(fact)
    assert isinstance(found, Trouble)
    assert found.kind == "malformed"
    assert "quantity" in found.cause


def test_a_shipment_with_a_line_of_nothing_is_one() -> None:
    assert read(shipped(2, 0)) == [shipped(2, 0)]


def test_an_order_of_a_connection_that_is_not_known_yet_is_set_aside() -> None:
    inbound = SimpleNamespace(connection="new", account=1, topic=DIRECT_TOPIC, body=b"", received_at=AT)
    nobody = SimpleNamespace(links={}, speaker=lambda account: None)
    found = normalise(cast("Any", inbound), cast("Any", nobody))
    assert isinstance(found, Trouble)
    assert (found.kind, found.cause) == ("connection_gone", "new")
