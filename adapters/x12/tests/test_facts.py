"""What documents mean: 945, 944, 846, 947 and answers, under the shipped tables and a partner's own."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import pytest

from adapters.x12.harness import BOUGHT, CHANGES, LEVELS, PROFILE, RECEIVED, SHIPPED, WHERE, document
from adapters.x12.interchange import read
from adapters.x12.simulator import X12Partner
from adapters.x12.split import split
from adapters.x12.translate import READERS
from hub.domain.facts import (
    CancelConfirmed,
    CancelRefused,
    FactLine,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsArrived,
    GoodsLost,
    GoodsReturned,
    GoodsShipped,
    ReturnedLine,
    StockLine,
    StockReported,
    UnitsShort,
)
from hub.domain.returns import Disposition
from hub.domain.shipping import Parcel, ParcelLine
from hub.domain.stock import ReportKind
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.adapter import Message
from hub.sdk.testkit.samples import FULFILMENT_ID
from hub.sdk.translate import Malformed, Unmapped

FILE: Final = Path(__file__).resolve().parents[3] / "mappings" / "x12" / "tables.toml"
TABLES: Final = load_tables(FILE.read_text("utf-8"))

Own = Mapping[str, Mapping[str, str]]


def facts(said: Mapping[str, object], own: Own | None = None, topic: str = "") -> Sequence[Message]:
    body = msgspec.json.encode(said)
    return READERS[topic or str(said["set"])](body, CodeTables(own or {}, TABLES))


def shipped(*segments: str, own: Own | None = None) -> Sequence[Message]:
    return facts(document("945", f"W06*F*{FULFILMENT_ID}*20260116*BOL-1", *segments), own)


def test_a_945() -> None:
    (fact,) = facts(SHIPPED)
    assert isinstance(fact, GoodsShipped)
    assert (fact.fulfilment, fact.at) == (FULFILMENT_ID, datetime(2026, 1, 16, 14, 30, tzinfo=UTC))
    assert fact.parcels == (
        Parcel(
            tracking="1Z999AA10123456784",
            carrier="ups",
            service="Ground",
            weight_g=1360,
            lines=(ParcelLine(line="1", quantity=2, lot="LOT7"),),
        ),
    )


def test_boxes_are_told_apart_by_their_tracking_numbers() -> None:
    fact, *_ = shipped(
        "W27*M*ABCD",
        "LX*1",
        "MAN*CP*T1",
        "W12*CC*1*1**EA**VN*A",
        "W12*CC*2*2**EA**VN*B",
        "LX*2",
        "W12*CC*1*1**EA**VN*C",
        "N9*2I*T2",
        "LX*3",
        "MAN*CP*T3",
        "MAN*CP*T4",
        "W12*CC*2*2**EA**VN*D",
        "W03*6*1*KG",
    )
    assert isinstance(fact, GoodsShipped)
    assert [(p.tracking, p.carrier, [(i.line, i.quantity) for i in p.lines]) for p in fact.parcels] == [
        ("T1", "ABCD", [("sku:A", 1), ("sku:B", 2)]),
        ("T2", "ABCD", [("sku:C", 1)]),
        (None, "ABCD", [("sku:D", 2)]),
        ("T3", "ABCD", []),
        ("T4", "ABCD", []),
    ]
    assert all(parcel.weight_g is None for parcel in fact.parcels)


def test_a_number_before_the_lines_speaks_of_all_of_them() -> None:
    fact, *_ = shipped("N9*2I*T1", "LX*1", "W12*CC*1*1**EA**VN*A", "LX*2", "W12*CC*1*1**EA**VN*B")
    assert isinstance(fact, GoodsShipped)
    assert [(p.tracking, len(p.lines)) for p in fact.parcels] == [("T1", 2)]


@pytest.mark.parametrize(("status", "short"), [("CP", 2), ("CC", 2), ("NS", 2), ("PR", 0), ("BO", 0)])
def test_what_did_not_leave_is_short_or_still_to_come(status: str, short: int) -> None:
    fact, *rest = shipped(f"W12*{status}*5*3**EA**VN*A")
    assert isinstance(fact, GoodsShipped)
    assert fact.parcels[0].lines == (ParcelLine(line="sku:A", quantity=3),)
    told = [line for one in rest if isinstance(one, UnitsShort) for line in one.lines]
    assert told == ([FactLine(sku="A", quantity=short)] if short else [])


def test_nothing_left() -> None:
    (gone,) = shipped("W12*NS*5*0**EA**VN*A")
    assert isinstance(gone, UnitsShort)
    (waits,) = shipped("W12*BO*5*0**EA**VN*A")
    assert isinstance(waits, FulfilmentAccepted)


def test_more_than_was_asked_for_is_told_as_it_is() -> None:
    (fact,) = shipped("W12*CM*2*5**EA**VN*A")
    assert isinstance(fact, GoodsShipped)
    assert fact.parcels[0].lines[0].quantity == 5


def test_lots_and_contents_tell_shipments_of_one_number_apart() -> None:
    ids = []
    for line in ("W12*PR*5*3**EA**VN*A*LOT1", "W12*PR*5*3**EA**VN*A*LOT2", "W12*PR*5*3**EA**VN*A*LOT1"):
        fact, *_ = shipped(line)
        assert isinstance(fact, GoodsShipped)
        ids.append(fact.shipment)
    assert ids[0] == ids[2] != ids[1]
    assert all(one.startswith("BOL-1#") for one in ids)


def test_units_other_than_ours_need_a_factor() -> None:
    with pytest.raises(Unmapped, match=r"unit_shipped 'CA'"):
        shipped("W12*CC*2*2**CA**VN*A")
    with pytest.raises(Unmapped, match=r"unit 'XX'"):
        shipped("W12*CC*2*2**XX**VN*A")
    fact, *_ = shipped("W12*CC*2*2**CA**VN*A", own={"unit_shipped": {"CA": "12"}})
    assert isinstance(fact, GoodsShipped)
    assert fact.parcels[0].lines[0].quantity == 24


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("W12*CC*1*1**EA**UP*012345678905*VN*A", "A"),
        ("W12*CC*1*1**EA*012345678905*VN*A", "A"),
        ("W12*CC*1*1**EA*012345678905", "012345678905"),
        ("W12*CC*1*1**EA***SK*A", "A"),
    ],
)
def test_which_id_is_our_sku(line: str, named: str) -> None:
    fact, *_ = shipped(line)
    assert isinstance(fact, GoodsShipped)
    assert fact.parcels[0].lines[0].line == f"sku:{named}"


@pytest.mark.parametrize("line", ["W12*CC*1*x**EA**VN*A", "W12*CC*1*1.5**EA**VN*A", "W12*CC*1*-1**EA**VN*A", "LX*1"])
def test_a_945_that_makes_no_sense(line: str) -> None:
    with pytest.raises(Malformed):
        shipped(line)


@pytest.mark.parametrize("written", ["1e400", "1E30", "99999999999", "NaN", "-1", "1.5", "13-"])
def test_a_quantity_that_cannot_be_meant(written: str) -> None:
    with pytest.raises(Malformed):
        shipped(f"W12*CC**{written}**EA**VN*A")


@pytest.mark.parametrize("written", ["1e400", "-3", "NaN", "", "heavy"])
def test_a_weight_that_cannot_be_meant_is_none(written: str) -> None:
    (fact,) = shipped("W12*CC**1**EA**VN*A", f"W03*1*{written}*LB")
    assert isinstance(fact, GoodsShipped)
    assert fact.parcels[0].weight_g is None


def test_a_qualifier_nobody_knows_is_told() -> None:
    with pytest.raises(Unmapped, match=r"sku_qualifier 'QQ'"):
        shipped("W12*CC*1*1**EA**QQ*A")


def test_a_long_fulfilment_order_number_gets_its_dash_back() -> None:
    (fact,) = facts(document("945", "W06*F*01KF0X5B3GCDEFGHJKMN12", "W12*CC*1*1**EA**VN*A"))
    assert isinstance(fact, GoodsShipped)
    assert fact.fulfilment == "01KF0X5B3GCDEFGHJKMN-12"
    assert fact.shipment == WHERE


def test_a_transfer_that_arrived_in_part_broken() -> None:
    arrived, lost = facts(RECEIVED)
    assert isinstance(arrived, GoodsArrived)
    assert (arrived.fulfilment, arrived.lines) == (FULFILMENT_ID, (FactLine(sku="MUG-RED", quantity=1),))
    assert isinstance(lost, GoodsLost)
    assert lost.lines == (FactLine(sku="MUG-RED", quantity=1),)


def received(*segments: str) -> Mapping[str, object]:
    return document("944", f"W17*F*20260116*REC-1*{FULFILMENT_ID}", *segments)


def test_a_transfer_that_arrived_short() -> None:
    arrived, broken, short = facts(
        received(
            "W07*6*EA**VN*A",
            *("W13*1*EA*01", "W13*2*EA*01", "W13*4*EA*02"),
            "W07*0*EA**VN*B",
            "W13*1*DZ*02",
            "W07*9*EA**VN*C",
            "W13*1*EA*03",
        )
    )
    assert isinstance(arrived, GoodsArrived)
    assert arrived.lines == (FactLine(sku="A", quantity=3), FactLine(sku="C", quantity=9))
    assert isinstance(broken, GoodsLost)
    assert (broken.lines, broken.reason) == ((FactLine(sku="A", quantity=3),), "damaged on arrival")
    assert isinstance(short, GoodsLost)
    assert short.lines == (FactLine(sku="A", quantity=4), FactLine(sku="B", quantity=12))
    assert short.reason == "short on arrival"
    several = {"receipt_condition": {"02": "counted"}}
    assert [type(one) for one in facts(received("W07*6*EA**VN*A", "W13*4*EA*02"), several)] == [GoodsArrived]


@pytest.mark.parametrize(
    "said",
    [
        received("W07*1*EA**VN*A", "W13*2*EA*01"),
        received("W07*3*EA**VN*A", "W13*-2*EA*01"),
        received("W07*-3*EA**VN*A"),
        document("944", "W17*F*20260116*REC-1*PO-7", "W07*2*CA**VN*A", "W13*3*EA*01"),
        document("944", "W17*F*20260116*REC-1*PO-7", "W07*2*EA**VN*A", "W13*3*EA*01"),
        document("944", "W17*F*20260116*REC-1", "N9*RZ*RMA-9", "W07*1*EA**VN*A", "W13*3*EA*01"),
    ],
)
def test_a_944_whose_exceptions_do_not_add_up(said: Mapping[str, object]) -> None:
    purchase = any(segment[-1] == "PO-7" for segment in said["segments"])  # type: ignore[attr-defined]
    with pytest.raises(Malformed, match=r"W07|W13"):
        facts(said, topic="944.stock" if purchase else "")


def test_bought_goods_that_arrived() -> None:
    (fact,) = facts(BOUGHT, topic="944.stock")
    assert fact == StockReported(
        at=datetime(2026, 1, 16, 12, 0, tzinfo=UTC),
        kind=ReportKind.DELTA,
        lines=(StockLine(location="loc-1", sku="MUG-RED", delta=4, unit="case"),),
        reason="receipt REC-2",
    )


def test_goods_that_came_back() -> None:
    (fact,) = facts(document("944", "W17*F*20260116*REC-3", "N9*RZ*RMA-9", "W07*3*EA**VN*A", "W13*1*EA*01"))
    assert isinstance(fact, GoodsReturned)
    assert (fact.receipt, fact.location, fact.return_id) == ("REC-3", "loc-1", "RMA-9")
    assert fact.lines == (
        ReturnedLine(sku="A", quantity=2, disposition=Disposition.RESTOCK),
        ReturnedLine(sku="A", quantity=1, disposition=Disposition.REFURBISH),
    )


def test_levels() -> None:
    (fact,) = facts(LEVELS)
    assert fact == StockReported(
        at=datetime(2026, 1, 16, 6, 0, tzinfo=UTC),
        kind=ReportKind.SNAPSHOT,
        lines=(StockLine(location="loc-1", sku="MUG-RED", on_hand=7),),
    )
    both = document("846", "BIA*00*SI*1", "N1*WH**91*D7", "LIN**VN*A", "QTY*33*7*EA", "QTY*17*1*EA", "QTY*02*9*EA")
    (summed,) = facts(both, {"inventory": {"00": "complete"}})
    assert isinstance(summed, StockReported)
    assert (summed.complete, [(line.location, line.on_hand) for line in summed.lines]) == (True, [("D7", 8)])
    with pytest.raises(Unmapped, match=r"quantity 'ZZ'"):
        facts(document("846", "BIA*00*SI*1", "LIN**VN*A", "QTY*ZZ*7*EA"))
    with pytest.raises(Malformed, match="on_hand"):
        facts(document("846", "BIA*00*SI*1", "LIN**VN*A", "QTY*02*7*EA"))


def test_very_many_levels_are_read_in_time_that_grows_with_them() -> None:
    lines = [segment for number in range(10_000) for segment in (f"LIN**VN*A{number}", "QTY*33*7*EA")]
    began = time.process_time()
    (fact,) = facts(document("846", "BIA*00*SI*1", *lines))
    # Half a second where the place is looked for once, a minute where it is for each.
    assert time.process_time() - began < 5
    assert isinstance(fact, StockReported)
    assert len(fact.lines) == 10_000


def test_places_of_an_846_hold_for_the_lines_after_them() -> None:
    lines = [("LIN**VN*A", "N1*WH**91*D7", "QTY*33*7*EA"), ("LIN**VN*B", "QTY*33*8*EA")]
    (fact,) = facts(document("846", "BIA*00*SI*1", *lines[1], *lines[0], *lines[1]))
    assert isinstance(fact, StockReported)
    assert [(line.sku, line.location) for line in fact.lines] == [("B", "loc-1"), ("A", "D7"), ("B", "D7")]


def test_changes_by_reason() -> None:
    (fact,) = facts(CHANGES)
    assert isinstance(fact, StockReported)
    assert (fact.reason, fact.lines[0].delta) == ("count", -2)
    several = document("947", "W15*20260116*A-1", "W19*01*-1*EA**VN*A**LOT9", "W19*06*4*EA**VN*A", "W19*77*4*EA**VN*A")
    found = facts(several, {"adjustment": {"77": "ignore"}})
    assert [(one.reason, one.lines[0].delta) for one in found if isinstance(one, StockReported)] == [
        ("damaged", -1),
        ("count", 4),
    ]
    with pytest.raises(Unmapped, match=r"adjustment '77'"):
        facts(several)


@pytest.mark.parametrize(
    ("held", "taken", "done", "kind"),
    [
        ("submit", True, False, FulfilmentAccepted),
        ("submit", False, False, FulfilmentRefused),
        ("cancel", True, False, None),
        ("cancel", True, True, CancelConfirmed),
        ("cancel", False, False, CancelRefused),
        ("advice", True, False, None),
        ("answer", False, False, None),
    ],
)
def test_answers(held: str, taken: bool, done: bool, kind: type | None) -> None:
    said = {"held": f"{held}:{FULFILMENT_ID}", "taken": taken, "text": "why", "cancel_is_done": done}
    found = facts({"said": said}, topic="answer")
    assert [type(one) for one in found] == ([kind] if kind else [])
    assert all(getattr(one, "fulfilment", None) == FULFILMENT_ID for one in found)


@pytest.mark.parametrize(
    ("said", "taken", "reason"),
    [
        (["AK1*OW*7", "AK2*940*0001", "AK5*A", "AK9*A*1*1*1"], [True], ""),
        (["AK1*OW*7", "AK2*940*0001", "AK5*R*5", "AK9*P*1*1*0"], [False], ""),
        (["AK1*OW*7", "AK2*940*0001", "AK5*X", "AK9*A*1*1*1"], [False], ""),
        (["AK1*OW*7", "AK2*940*0001", "AK3*N4*9**8", "AK4*2*156*7", "AK5*R*5"], [False], ""),
        (["AK1*OW*7", "AK2*940*0001", "AK5*A"], [True], ""),
        (["AK1*OW*7", "AK2*940*0001", "AK5*R*5", "AK1*OW*8", "AK9*A*1*1*1"], [False, True], ""),
        (["AK1*OW*7", "AK2*940*0001", "AK5*Q", "AK9*A*1*1*1"], [], "unknown_verdict"),
        (["AK1*OW*7", "AK9**1*1*1"], [], "unknown_verdict"),
        (["AK1*OW*7", "AK2*940*0001"], [], "no_verdict"),
    ],
)
def test_what_a_997_says(said: Sequence[str], taken: Sequence[bool], reason: str) -> None:
    body = X12Partner().file("997", [tuple(segment.split("*")) for segment in said])
    held = {7: f"submit:{FULFILMENT_ID}", 8: f"submit:{FULFILMENT_ID}"}
    items = split(read(body), PROFILE, held)
    refused = [msgspec.json.decode(item.body).get("refused", "").partition(":")[0] for item in items]
    heard = [item for item, why in zip(items, refused, strict=True) if not why]
    facts_told = [one for item in heard for one in READERS[item.topic](item.body, CodeTables())]
    assert [isinstance(one, FulfilmentAccepted) for one in facts_told] == list(taken)
    assert [why for why in refused if why] == [reason or "rejected"] * (len(items) - len(heard))
    assert reason in refused or not reason


def test_times_are_the_partners() -> None:
    said = document("846", "BIA*00*SI*1*20260701*0030", "LIN**VN*A", "QTY*33*7*EA") | {"zone": "America/Chicago"}
    (fact,) = facts(said)
    assert isinstance(fact, StockReported)
    assert fact.at == datetime(2026, 7, 1, 5, 30, tzinfo=UTC)
    with pytest.raises(Malformed, match="CCYYMMDD"):
        facts(document("846", "BIA*00*SI*1*CCYYMMDD", "LIN**VN*A", "QTY*33*7*EA"))
