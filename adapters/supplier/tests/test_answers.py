"""What a supplier writes, taken apart: documents and rows to the same answers, what is bad alone with its reason."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.supplier.answers import Notice, counters_in, notices_in, stored
from adapters.supplier.settings import Settings, Table
from adapters.supplier.translate import read_answer, read_levels
from hub.domain.facts import (
    CancelConfirmed,
    CancelRefused,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsShipped,
    StockMeaning,
    StockReported,
    UnitsShort,
)
from hub.domain.purchase import UnitCost
from hub.mapping.tables import CodeTables, load_tables
from hub.registry import mapping_text
from hub.sdk.adapter import Message
from hub.sdk.translate import Malformed, Unmapped

SENT = datetime(2026, 1, 16, 12, tzinfo=UTC)
ORDER = "01KF0X5B3GCDEFGHJKMN-1"
SETTINGS = Settings(supplier="acme", sends="mail", currency="USD", mail={"host": "h", "sender": "a@b"}, to="x@y")  # type: ignore[arg-type]


def tables() -> CodeTables:
    return CodeTables(load_tables(mapping_text("supplier", "tables") or ""))


def facts(body: bytes | dict[str, Any], name: str = "msg", settings: Settings = SETTINGS) -> list[Message]:
    """What a message or file comes to."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    found = notices_in(name, raw, settings)
    holders = dict.fromkeys(counters_in(found, settings) & {1}, ORDER)
    messages: list[Message] = []
    for item in stored(found, settings, holders, SENT):
        read = read_levels if item.topic == "levels" else read_answer
        messages += read(item.body, tables())
    return messages


def acknowledged(**more: Any) -> dict[str, Any]:
    return {"says": "acknowledged", "purchase_order": "PO-000001", "status": "accepted", **more}


def test_an_acknowledgement_has_a_date_at_the_end_of_the_suppliers_day_and_costs() -> None:
    west = msgspec.structs.replace(SETTINGS, time_zone="America/Chicago")
    line = {"line": "1", "unit_cost": "12.50"}
    (fact,) = facts(acknowledged(ships_on="2026-01-20", lines=[line], currency="EUR"), settings=west)
    assert isinstance(fact, FulfilmentAccepted)
    assert fact.ships_on == datetime(2026, 1, 21, 5, 59, 59, tzinfo=UTC)
    assert (fact.costs, fact.currency) == ((UnitCost(line="1", unit_cost=Decimal("12.50")),), "EUR")
    assert (fact.at, fact.fulfilment) == (SENT, ORDER)


def test_refused_units_come_before_the_rest_is_accepted() -> None:
    lines = [{"sku": "MUG", "refused": 2, "reason": "Out_Of_Stock"}, {"sku": "TEE", "refused": 1}]
    short, other, accepted = facts(acknowledged(lines=lines))
    assert isinstance(short, UnitsShort)
    assert isinstance(other, UnitsShort)
    assert isinstance(accepted, FulfilmentAccepted)
    assert [(one.sku, one.quantity) for one in (*short.lines, *other.lines)] == [("MUG", 2), ("TEE", 1)]
    assert (short.stock, other.stock) == (StockMeaning.QUANTITY, StockMeaning.NOTHING), "no reason says nothing"


def test_a_refusal_says_what_it_means_for_the_shelf() -> None:
    (fact,) = facts(acknowledged(status="rejected", reason="discontinued"))
    assert fact == FulfilmentRefused(at=SENT, fulfilment=ORDER, reason="discontinued", stock=StockMeaning.ALL)


@pytest.mark.parametrize(("field", "word"), [("status", "maybe"), ("reason", "astrology"), ("currency", "SHL")])
def test_an_unknown_word_is_unmapped(field: str, word: str) -> None:
    said = acknowledged(**{"status": "refused"} if field == "reason" else {}, **{field: word})
    with pytest.raises(Unmapped) as told:
        facts({**said, field: word})
    assert told.value.value == word


def test_a_shipment_names_its_parcels() -> None:
    boxes = [
        {"carrier": "UPS", "tracking": "1Z1", "lines": [{"line": "1", "quantity": 2}]},
        {"carrier": "Rider & Sons", "tracking": "R-9", "lines": [{"sku": "TEE", "quantity": 1}]},
    ]
    (fact,) = facts({"says": "shipped", "purchase_order": "PO-1", "shipment": "S-1", "parcels": boxes})
    assert isinstance(fact, GoodsShipped)
    assert fact.shipment == "S-1"
    assert [(box.carrier, box.tracking) for box in fact.parcels] == [("ups", "1Z1"), ("Rider & Sons", "R-9")]
    assert [[(line.line, line.quantity) for line in box.lines] for box in fact.parcels] == [
        [("1", 2)],
        [("sku:TEE", 1)],
    ]


def test_a_cancel_ends_either_way() -> None:
    cancel = {"says": "cancel_answered", "purchase_order": "PO-000001"}
    assert facts({**cancel, "status": "confirmed"}) == [CancelConfirmed(at=SENT, fulfilment=ORDER)]
    assert facts({**cancel, "status": "too_late"}) == [CancelRefused(at=SENT, fulfilment=ORDER, reason="too late")]


def test_levels_are_a_snapshot_at_the_suppliers_own_place() -> None:
    (fact,) = facts(b"sku,quantity\nMUG,2\nTEE,0\n", "stock-2026.csv")
    assert isinstance(fact, StockReported)
    assert [(line.location, line.sku, line.on_hand) for line in fact.lines] == [("acme", "MUG", 2), ("acme", "TEE", 0)]
    assert not fact.complete
    with pytest.raises(Malformed, match="-2"):
        facts(b"sku,quantity\nMUG,-2\n", "stock-2026.csv")


def test_rows_of_one_order_are_one_acknowledgement() -> None:
    rows = b"purchase_order,status,line,unit_cost,ships_on,refused,reason\n"
    rows += b"PO-000001,accepted,1,12.50,2026-01-20,,\nPO-000001,accepted,2,3,2026-01-20,1,capacity\n"
    short, accepted = facts(rows, "ACK_7.csv")
    assert isinstance(short, UnitsShort)
    assert isinstance(accepted, FulfilmentAccepted)
    assert [cost.unit_cost for cost in accepted.costs] == [Decimal("12.50"), Decimal(3)]


def test_the_suppliers_own_columns_are_data() -> None:
    table = Table(
        pattern="REPLY*.txt",
        says="acknowledged",
        layout={"delimiter": ";", "decimal": ",", "names": {"purchase_order": "Bestellung", "unit_cost": "Preis"}},  # type: ignore[arg-type]
    )
    own = msgspec.structs.replace(SETTINGS, tables=(msgspec.convert(msgspec.to_builtins(table), Table),))
    (fact,) = facts(b"Bestellung;status;sku;Preis\n1;accepted;MUG;12,5\n", "reply-1.txt", own)
    assert isinstance(fact, FulfilmentAccepted)
    assert fact.costs == (UnitCost(sku="MUG", unit_cost=Decimal("12.5")),)


BAD: list[tuple[bytes | dict[str, Any], str, str]] = [
    (acknowledged(lines=[{"line": "1", "unit_cost": "-0.01"}]), "m", "not below zero"),
    (acknowledged(lines=[{"line": "1", "unit_cost": "NaN"}]), "m", "not below zero"),
    (acknowledged(lines=[{"unit_cost": "1"}]), "m", "neither line nor sku"),
    (acknowledged(lines=[{"line": "1", "refused": -1}]), "m", "-1 refused"),
    (acknowledged(ships_on="soon"), "m", "ships_on"),
    ({"says": "sings", "purchase_order": "PO-000001"}, "m", "'sings'"),
    ({"purchase_order": "PO-000001"}, "m", "says"),
    (acknowledged(purchase_order="PO-000002"), "m", "was never sent to acme"),
    (acknowledged(purchase_order="ours"), "m", "was never sent to acme"),
    (
        {"says": "shipped", "purchase_order": "PO-1", "parcels": [{"lines": [{"line": "1", "quantity": 0}]}]},
        "m",
        "quantity above zero",
    ),
    (b"purchase_order,status,sku,unit_cost\nPO-1,accepted,MUG,cheap\n", "ack.csv", "'cheap' is no number"),
    (b"purchase_order,status,sku\nPO-1,accepted,MUG\nPO-1,refused,TEE\n", "ack.csv", "'refused' here"),
    (b"purchase_order,status\n,accepted\n", "ack.csv", "no purchase_order"),
    (b"purchase_order,sku,quantity\nPO-1,MUG,1.5\n", "shipped.csv", "'1.5' is no number"),
]


@pytest.mark.parametrize(("body", "name", "said"), BAD)
def test_what_is_bad_is_stored_with_its_reason(body: bytes | dict[str, Any], name: str, said: str) -> None:
    with pytest.raises(Malformed) as told:
        facts(body, name)
    assert said in told.value.value


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"says":', b"\xff\xfe\x00"])
def test_what_is_neither_json_nor_a_table_is_no_message(body: bytes) -> None:
    with pytest.raises(Malformed):
        notices_in("msg_1", body, SETTINGS)


def test_one_bad_document_leaves_the_others_alone() -> None:
    body = msgspec.json.encode([acknowledged(ships_on="never"), acknowledged(ships_on="2026-01-20")])
    items = stored(notices_in("msg", body, SETTINGS), SETTINGS, {1: ORDER}, SENT)
    assert [item.object for item in items] == [None, f"order:{ORDER}"]


def test_the_same_in_another_file_at_another_time_is_the_same() -> None:
    notice = Notice(says="acknowledged", purchase_order="PO-000001", status="accepted", ships_on=date(2026, 1, 20))
    body, later = msgspec.json.encode(notice), datetime(2026, 1, 18, tzinfo=UTC)
    keys = {
        item.key
        for name, at in (("a.json", SENT), ("b.json", later))
        for item in stored(notices_in(name, body, SETTINGS), SETTINGS, {1: ORDER}, at)
    }
    assert len(keys) == 1
