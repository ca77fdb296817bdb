"""Files taken apart: rows become orders, what cannot be read stands alone under its line."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from adapters.order_files.harness import HARNESS
from adapters.order_files.settings import Settings
from adapters.order_files.translate import split
from hub.domain.order import OrderSnapshot
from hub.sdk.capabilities import Pulled
from hub.sdk.tabular import Layout, number, time
from hub.sdk.testkit.reading import read
from hub.sdk.translate import Malformed

SENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN = Settings(channel="w", currency="EUR")
GERMAN = Settings(
    channel="w",
    currency="EUR",
    tax_included=True,
    layout=Layout(
        delimiter=";",
        encoding="cp1252",
        decimal=",",
        thousands=".",
        time_zone="Europe/Berlin",
        time_formats=("%d.%m.%Y %H:%M",),
        names={
            "order_number": "Bestellnr",
            "placed_at": "Datum",
            "sku": "Artikel",
            "quantity": "Menge",
            "line_total": "Betrag",
            "ship_name": "Empfänger",
            "ship_address_1": "Straße",
            "ship_city": "Ort",
            "ship_postal_code": "PLZ",
            "ship_country": "Land",
        },
    ),
)


def taken(body: bytes, settings: Settings = PLAIN, name: str = "a.csv") -> tuple[Pulled, ...]:
    return split(name, body, settings, SENT)


def order(item: Pulled) -> OrderSnapshot:
    (snapshot,) = read(HARNESS, item.topic, item.body)
    assert isinstance(snapshot, OrderSnapshot)
    return snapshot


def test_a_german_table_becomes_orders() -> None:
    body = (
        "Bestellnr;Datum;Empfänger;Straße;Ort;PLZ;Land;Artikel;Menge;Betrag;Notiz\r\n"
        '1;02.07.2026 08:15;Jörg "J" Müller;Große Str. 4;Köln;50667;DE;MUG;2;1.234,50;a\r\n'
        "2;02.01.2026 08:15;Eva;Weg 1;Ulm;89073;DE;TEE;1;5,00;\r\n"
        '1;02.07.2026 08:15;Jörg "J" Müller;Große Str. 4;Köln;50667;DE;"TEE; rot";1;19,99;b\r\n'
    ).encode("cp1252")
    first, second = (order(item) for item in taken(body, GERMAN))
    assert first.problems == second.problems == ()
    assert first.content.placed_at == datetime(2026, 7, 2, 6, 15, tzinfo=UTC)
    assert second.content.placed_at == datetime(2026, 1, 2, 7, 15, tzinfo=UTC)
    found = [(line.external_id, line.sku, line.quantity, line.subtotal) for line in first.content.lines]
    assert found == [("1", "MUG", 2, 123450), ("2", "TEE; rot", 1, 1999)]
    assert first.contacts["ship"].name == 'Jörg "J" Müller'
    assert first.content.amounts.shop.tax_included is True
    assert first.content.version == int(SENT.timestamp()) * 1_000_000


def test_a_bad_row_stands_alone_and_the_others_go_on() -> None:
    body = (
        b"order_number,sku,quantity,line_total\n"
        b"1,MUG,1,1.00\n"
        b",MUG,1,1.00\n"
        b'2,"MUG,1,1.00\n'
        b"\n"
        b"3,MUG,1,1.00,surplus\n"
        b"4,M\xffG,1,1.00\n"
        b"5,MUG,1,1.00\n"
    )
    good, bad = [], []
    for item in taken(body):
        try:
            good.append(order(item).content.external_id)
        except Malformed as fault:
            assert item.object is None
            bad.append(fault.value)
    assert good == ["1", "5"]
    assert [text.partition(":")[0] for text in bad] == [f'["a.csv, line {n}' for n in (3, 4, 6, 7)]
    assert "no order number" in bad[0]
    assert "5 cells where 4 columns are" in bad[2]
    assert "no text in utf-8" in bad[3]


def test_a_bad_row_of_a_good_order_holds_it() -> None:
    body = b"order_number,sku,quantity,line_total\n1,MUG,1,1.00\n1,TEE\n1,CUP,x,1.00\n1,HAT,1,1.00\n"
    (item,) = taken(body)
    snapshot = order(item)
    assert [line.sku for line in snapshot.content.lines] == ["MUG", None, "CUP", "HAT"]
    said = {(found.kind, found.line): found.value for found in snapshot.problems}
    assert said["bad_quantity", "2"] == "line 3: 2 cells where 4 columns are"
    assert said["bad_quantity", "3"] == "line 4: x"


def test_rows_that_differ_about_their_order_are_a_problem() -> None:
    body = b"order_number,currency,sku,quantity,line_total\n1,EUR,MUG,1,1.00\n1,USD,TEE,1,1.00\n"
    (item,) = taken(body)
    assert "bad_money" in {found.kind for found in order(item).problems}


def test_the_same_order_has_the_same_key_whatever_the_file_is_called() -> None:
    one = taken(b"order_number,sku,quantity,line_total\n1,MUG,1,1.00\n")
    same = taken(b"order_number,sku,quantity,line_total\r\n\r\n1,MUG,1,1.00\r\n", name="b.csv")
    other = taken(b"order_number,sku,quantity,line_total\n1,MUG,2,1.00\n")
    assert [item.key for item in one] == [item.key for item in same] != [item.key for item in other]
    assert {item.object for item in (*one, *other)} == {"order:1"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"order_number": 7, "lines": [{"sku": "MUG", "quantity": 2, "line_total": 1.50}]}',
        b'\xef\xbb\xbf [{"order_number": "7", "lines": [{"sku": "MUG", "quantity": "2", "line_total": "1.50"}]}]',
        b'{"orders": [{"order_number": "7", "lines": [{"sku": "MUG", "quantity": 2.0, "line_total": "1.50"}]}]}',
    ],
)
def test_json_orders(body: bytes) -> None:
    (item,) = taken(body, name="a.json")
    content = order(item).content
    assert (content.external_id, content.currency) == ("7", "EUR")
    assert [(line.sku, line.quantity, line.subtotal) for line in content.lines] == [("MUG", 2, 150)]


def test_an_order_a_line_parks_its_bad_lines_alone() -> None:
    body = b'{"order_number": "1", "lines": []}\n{"order_number": \n[1]\n{"number": "2"}\n'
    found = taken(body, name="a.ndjson")
    assert [item.object for item in found] == ["order:1", None, None, None]
    texts = [msgspec.json.decode(item.body)["order_number"][0] for item in found[1:]]
    assert [text.partition(": ")[0] for text in texts] == [f"a.ndjson, line {n}" for n in (2, 3, 4)]


def test_foreign_json_is_read_by_names() -> None:
    layout = Layout(names={"order_number": "head.id", "ship_city": "to.town", "sku": "article.code"})
    settings = Settings(channel="w", currency="EUR", layout=layout, lines="body.items", priced=False)
    body = (
        b'{"head": {"id": "A1"}, "to": {"town": "Ulm"}, "body": {"items": [{"article": {"code": "M"}, "quantity": 1}]}}'
    )
    (item,) = taken(body, settings)
    snapshot = order(item)
    assert snapshot.content.external_id == "A1"
    assert snapshot.contacts["ship"].city == "Ulm"
    assert [(line.sku, line.subtotal) for line in snapshot.content.lines] == [("M", 0)]


@pytest.mark.parametrize("body", [b"", b'{"order_number": ', b"a,a\n1,2\n", b"\n\n"])
def test_what_is_no_file_of_orders_is_malformed_whole(body: bytes) -> None:
    with pytest.raises(Malformed):
        taken(body)


def test_a_file_of_no_orders_is_none() -> None:
    assert taken(b"order_number,sku\n") == ()
    assert taken(b"[]") == ()


def test_cells_of_several_lines() -> None:
    layout = Layout(several_lines=True)
    body = b'order_number,note,sku,quantity,line_total\n1,"two\nlines",MUG,1,1.00\n2,x,MUG,1,1.00\n'
    found = taken(body, Settings(channel="w", layout=layout))
    assert [item.object for item in found] == ["order:1", "order:2"]
    assert msgspec.json.decode(found[0].body)["note"] == "two\nlines"


def test_numbers_and_times_are_read_as_declared_and_never_guessed() -> None:
    comma = Layout(decimal=",", thousands=". ")
    assert number("1.234,50", comma) == Decimal("1234.50")
    assert number("1,234.50", Layout()) is None
    assert number("12,5", Layout()) is None
    assert number("1e999999999", Layout(thousands="")) is None or number("NaN", Layout()) is None
    berlin = Layout(time_zone="Europe/Berlin")
    assert time("2026-07-01T00:30:00", berlin) == datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert time("2026-07-01T00:30:00Z", berlin) == datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
    assert time("01.07.2026", berlin) is None


def test_a_layout_that_cannot_be_is_refused() -> None:
    for wrong in ({"header": False}, {"encoding": "utf-99"}, {"time_zone": "Mars/Base"}):
        with pytest.raises(ValueError, match=r"columns|known"):
            msgspec.convert(wrong, Layout)
