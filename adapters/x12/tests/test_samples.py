"""Every published sample becomes facts that were read here, or is refused by name. None crashes, none is dropped."""

from pathlib import Path
from typing import Final

import pytest

from adapters.x12.answers import READ
from adapters.x12.harness import PROFILE
from adapters.x12.interchange import NotX12, read
from adapters.x12.settings import Profile
from adapters.x12.split import split
from adapters.x12.translate import READERS
from hub.domain.facts import FactLine, GoodsShipped, StockReported, UnitsShort
from hub.domain.shipping import Parcel, ParcelLine
from hub.domain.stock import ReportKind
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.adapter import Message
from hub.sdk.translate import Malformed

ROOT: Final = Path(__file__).resolve().parents[3]
SAMPLES: Final = ROOT.parent / "shared" / "contracts" / "edi-x12" / "samples"
FILES: Final = sorted(path for path in SAMPLES.rglob("*") if path.is_file())

SHIPPED_TABLES: Final = load_tables((ROOT / "mappings" / "x12" / "tables.toml").read_text("utf-8"))
TABLES: Final = CodeTables({"unit_shipped": {"CA": "1"}, "reference": {"N9 LI": "ignore"}}, SHIPPED_TABLES)
"""A partner whose cases are our units, and whose line numbers are not ours."""

pytestmark = pytest.mark.skipif(not FILES, reason="the published samples are not beside this tree")

REFUSED: Final = {
    "824/005010_824.edi": "not_read: 824",
    "850/004010_850.edi": "not_read: 850",
    "856/test_856_0.edi": "not_read: 856",
    "856/test_856_1.edi": "not_read: 856",
    "856/test_856_3.edi": "not_read: 856",
    "856/test_856_4.edi": "not_read: 856",
    "856/test_856_6.edi": "not_read: 856",
    "856/test_856_7.edi": "not_read: 856",
    "940/test_940_2.edi": "not_read: 940",
    "940/test_940_3.edi": "not_read: 940",
    "940/test_940_5.edi": "not_read: 940",
    "edifabric/997.txt": "unknown_number: it answers number 1,",
    "edifabric/ApplicationAdvice.txt": "not_read: 824",
    "edifabric/FreightInvoice.txt": "not_read: 210",
    "edifabric/Invoice.txt": "not_read: 810",
    "edifabric/PurchaseOrder.csv": "no_header: ",
    "edifabric/PurchaseOrderInvalid.txt": "not_read: 850",
    "edifabric/PurchaseOrderMultiLine.txt": "not_read: 850",
    "edifabric/PurchaseOrders.txt": "not_read: 850",
    "edifabric/ReceivingAdvice.txt": "not_read: 861",
    "edifabric/ShipBillNotice.txt": "not_read: 857",
    "edifabric/ShipNotice.txt": "not_read: 856",
    "edifabric/ShipmentStatus.txt": "not_read: 214",
}


def name_of(path: Path) -> str:
    return path.relative_to(SAMPLES).as_posix()


def taken(path: Path) -> tuple[list[Message], list[str]]:
    """Facts of a sample, and refusals, for a profile that agrees with whom the sample names."""
    try:
        interchanges = read(path.read_bytes())
    except NotX12 as fault:
        return [], [str(fault)]
    (one,) = interchanges
    profile = Profile(
        us=one.receiver or PROFILE.us,
        partner=one.sender or PROFILE.partner,
        test=one.usage == "T",
        bare=one.sender is None,
        location="dock",
    )
    items = split(interchanges, profile, {})
    assert items
    facts: list[Message] = []
    refused: list[str] = []
    for item in items:
        try:
            facts += READERS[item.topic](item.body, TABLES)
        except Malformed as fault:
            refused.append(fault.value)
    return facts, refused


def test_every_sample_is_accounted_for() -> None:
    read_here = {name_of(path) for path in FILES if path.parent.name in ("944", "945", "947")}
    assert {name_of(path) for path in FILES} == read_here | set(REFUSED)
    assert len(FILES) == 27
    assert "856" not in READ


@pytest.mark.parametrize("path", [path for path in FILES if name_of(path) in REFUSED], ids=name_of)
def test_refused_by_name(path: Path) -> None:
    facts, refused = taken(path)
    assert facts == []
    assert refused
    assert all(reason.startswith(REFUSED[name_of(path)]) for reason in refused)


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix != ".csv"], ids=name_of)
def test_a_sample_from_anybody_else_is_refused_whole(path: Path) -> None:
    for item in split(read(path.read_bytes()), PROFILE, {}):
        with pytest.raises(Malformed, match=r"wrong_sender|no_envelope"):
            READERS[item.topic](item.body, TABLES)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_sample_that_is_cut_off_anywhere_crashes_nothing(path: Path) -> None:
    body = path.read_bytes()
    for end in range(0, len(body), 23):
        try:
            interchanges = read(body[:end])
        except NotX12:
            continue
        assert interchanges
        for item in split(interchanges, PROFILE, {}):
            with pytest.raises(Malformed):
                READERS[item.topic](item.body, TABLES)


def test_a_945_of_a_collapsed_isa() -> None:
    facts, refused = taken(SAMPLES / "945" / "waqe_945_collapsed_isa_0.edi")
    assert refused == []
    (fact,) = facts
    assert isinstance(fact, GoodsShipped)
    assert (fact.fulfilment, fact.shipment.partition("#")[0]) == ("IF102", "BOL12345")
    assert f"{fact.at:%Y-%m-%d}" == "2019-06-04"
    assert fact.parcels == (
        Parcel(
            carrier="NPLT",
            service="NORTHPOINT TRANSPOR",
            weight_g=6803885,
            lines=(ParcelLine(line="sku:123456789", quantity=3000, lot="LOT12314"),),
        ),
    )


def test_a_945_without_envelope_whose_elements_are_shifted() -> None:
    facts, refused = taken(SAMPLES / "945" / "simplot_945_transaction_only.edi")
    assert refused == []
    (fact,) = facts
    assert isinstance(fact, GoodsShipped)
    assert fact.fulfilment == "01766655"
    (parcel,) = fact.parcels
    assert parcel.lines == (
        ParcelLine(line="sku:007117901645", quantity=72, lot="40550"),
        ParcelLine(line="sku:007117901645", quantity=72, lot="40551"),
        ParcelLine(line="sku:007117900070", quantity=96, lot="93724"),
    )
    assert not any(isinstance(one, UnitsShort | FactLine) for one in facts)


def test_a_944_that_its_author_cut_short() -> None:
    facts, refused = taken(SAMPLES / "944" / "dcg_944_good_isa_two_lines.edi")
    assert refused == []
    (fact,) = facts
    assert isinstance(fact, StockReported)
    assert (fact.kind, fact.reason) == (ReportKind.DELTA, "receipt EISU9397985-21104")
    assert [(line.location, line.sku, line.delta) for line in fact.lines] == [
        ("D7", "HCZK203-STK", 3024),
        ("D7", "HCZK403-STK", 6000),
    ]


def test_a_947_without_envelope_in_cases() -> None:
    facts, refused = taken(SAMPLES / "947" / "saputo_947_transaction_only.edi")
    assert refused == []
    (fact,) = facts
    assert isinstance(fact, StockReported)
    assert (fact.kind, fact.reason) == (ReportKind.DELTA, "count")
    (line,) = fact.lines
    assert (line.location, line.sku, line.delta, line.unit, line.lot) == (
        "1234567890802",
        "1009332",
        -13,
        "case",
        "BS13026001",
    )
