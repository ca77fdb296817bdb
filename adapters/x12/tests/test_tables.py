"""Rows instead of X12, by layouts that are data."""

from datetime import UTC, datetime

import pytest

from adapters.x12.settings import Table
from adapters.x12.tables import rows_of, table_of
from adapters.x12.translate import READERS
from hub.domain.facts import FactLine, GoodsShipped, StockReported, UnitsShort
from hub.domain.shipping import Parcel, ParcelLine
from hub.mapping.tables import CodeTables
from hub.sdk.adapter import Message
from hub.sdk.tabular import Layout
from hub.sdk.translate import Malformed

AT = datetime(2026, 1, 16, 12, 0, tzinfo=UTC)
PIPES = Table(
    pattern="SHIP*",
    says="shipped",
    layout=Layout(
        delimiter="|",
        names={"fulfilment": "ORD", "quantity": "QTY", "sku": "ITEM", "shipment": "BOL", "at": "DATE"},
        time_zone="America/Chicago",
        time_formats=("%m/%d/%Y %I:%M %p",),
    ),
)
LEVELS = Table(pattern="STOCK*", says="levels")
CHANGES = Table(pattern="ADJ*", says="changes")


def facts(body: bytes, one: Table, name: str = "a.csv") -> list[Message]:
    tables = CodeTables({"carrier": {"UPSN": "ups"}})
    items = rows_of(name, body, one, "dock", AT)
    return [fact for item in items for fact in READERS[item.topic](item.body, tables)]


def test_a_file_is_known_by_its_name() -> None:
    assert table_of("SHIP1.txt", (LEVELS, PIPES)) is PIPES
    assert table_of("1.edi", (LEVELS, PIPES)) is None


def test_shipments() -> None:
    body = (
        b"ORD|ITEM|QTY|short|BOL|tracking|carrier|DATE\n"
        b"F-1|A|2||B1|T1|UPSN|01/16/2026 02:30 PM\n"
        b"F-1|B|1|3|B1|T2|ODD|01/16/2026 02:30 PM\n"
        b"F-2|A|1||B2|||01/16/2026 02:30 PM\n"
    )
    first, short, second = facts(body, PIPES)
    assert isinstance(first, GoodsShipped)
    assert (first.fulfilment, first.shipment) == ("F-1", "B1")
    assert first.at == datetime(2026, 1, 16, 20, 30, tzinfo=UTC)
    assert first.parcels == (
        Parcel(tracking="T1", carrier="ups", lines=(ParcelLine(line="sku:A", quantity=2),)),
        Parcel(tracking="T2", carrier="ODD", lines=(ParcelLine(line="sku:B", quantity=1),)),
    )
    assert isinstance(short, UnitsShort)
    assert short.lines == (FactLine(sku="B", quantity=3),)
    assert isinstance(second, GoodsShipped)
    assert second.fulfilment == "F-2"


def test_levels_and_changes() -> None:
    (levels,) = facts(b"sku,quantity,location\nA,7,\nB,0,D7\n", LEVELS)
    assert isinstance(levels, StockReported)
    assert [(line.location, line.sku, line.on_hand) for line in levels.lines] == [("dock", "A", 7), ("D7", "B", 0)]
    found = facts(b"id,sku,quantity,reason\n1,A,-2,damaged\n2,A,5,count\n", CHANGES)
    assert [(one.reason, one.lines[0].delta) for one in found if isinstance(one, StockReported)] == [
        ("damaged", -2),
        ("count", 5),
    ]


def test_a_bad_row_is_refused_alone_with_its_line() -> None:
    items = rows_of("s.csv", b"fulfilment,sku,quantity\nF-1,A,1\n,A,1\nF-2,A,x\nF-3,A\nF-4,,1\n", _plain(), None, AT)
    good = [item for item in items if item.object is not None]
    assert [item.object for item in good] == ["order:F-1"]
    said = []
    for item in items:
        if item.object is None:
            with pytest.raises(Malformed) as raised:
                READERS[item.topic](item.body, CodeTables())
            said.append(raised.value.value.partition(":")[0])
    assert said == ["s.csv, line 3", "s.csv, line 4", "s.csv, line 5", "s.csv, line 6"]


def test_the_same_again_has_the_same_key_and_levels_of_another_day_do_not() -> None:
    body = b"fulfilment,shipment,sku,quantity\nF-1,B1,A,1\n"
    assert rows_of("a", body, _plain(), None, AT)[0].key == rows_of("b", body + b"\n", _plain(), None, AT)[0].key
    day, later = (rows_of("a", b"sku,quantity\nA,1\n", LEVELS, "dock", at)[0].key for at in (AT, AT.replace(day=17)))
    assert day != later


def _plain() -> Table:
    return Table(pattern="*", says="shipped")
