"""The strict writer: what goes out is flawless, the same each time, and never cuts an identity."""

from datetime import UTC, datetime

import msgspec
import pytest

from adapters.x12.answers import answer
from adapters.x12.harness import PROFILE
from adapters.x12.interchange import Party, read
from adapters.x12.orders import (
    cancel_order,
    depositor_number,
    shipping_order,
    transfer_advice,
)
from adapters.x12.settings import Carriage, Profile
from adapters.x12.simulator import X12Partner
from adapters.x12.writer import Unwritable, written
from hub.domain.contact import Contact
from hub.sdk.capabilities import AdvisedLine, StockAdvice
from hub.sdk.testkit.samples import FULFILMENT, FULFILMENT_CANCEL, FULFILMENT_ID

AT = datetime(2026, 1, 16, 12, 30, tzinfo=UTC)


def lines(request: object = FULFILMENT, profile: Profile = PROFILE) -> list[str]:
    assert isinstance(request, type(FULFILMENT))
    return ["*".join(segment).rstrip("*") for segment in shipping_order(request, profile)]


def test_a_940() -> None:
    assert lines() == [
        f"W05*N*{FULFILMENT_ID}*#1001",
        "N1*WH**91*loc-1",
        "N1*ST*Zoe Quimby-O'Hara",
        "N2*Fjord & Sons",
        "N3*417 Montgomery Street*Floor 5",
        "N4*San Francisco*CA*94104*US",
        "G61*DC*Zoe Quimby-O'Hara*TE*+14155550123",
        "G61*DC*Zoe Quimby-O'Hara*EM*zoe.quimby@example.com",
        "N9*CO*#1001",
        "G62*04*20260115",
        "W66*PP*M",
        "LX*1",
        "W01*2*EA**VN*MUG-RED",
        "G69*Mug, red",
        "N9*LI*1",
        "LX*2",
        "W01*1*EA**VN*TEE-M",
        "G69*T-shirt, M",
        "N9*LI*2",
        "W76*3",
    ]


def test_the_profile_is_what_makes_it_the_partners() -> None:
    profile = Profile(
        us=Party(id="5551234567", qualifier="12"),
        partner=Party(id="WMS", qualifier="ZZ"),
        depositor=Party(id="0377912820000", qualifier="9"),
        depositor_name="Acme",
        warehouse_code="SF",
        new="F",
        sku_qualifier="SK",
        unit="PC",
        services={"express": Carriage(scac="FDEN", routing="PRIORITY OVERNIGHT", method="A")},
        version="005010",
        element="|",
        segment="'",
        component=":",
        line_breaks=False,
        test=True,
    )
    said = lines(msgspec.structs.replace(FULFILMENT, service="express"), profile)
    assert said[:3] == [f"W05*F*{FULFILMENT_ID}*#1001", "N1*DE*Acme*9*0377912820000", "N1*SF**91*loc-1"]
    assert "W66*PP*A***PRIORITY OVERNIGHT*****FDEN" in said
    assert "W01*2*PC**SK*MUG-RED" in said
    text = written(profile, "OW", "940", shipping_order(FULFILMENT, profile), 42, AT).decode()
    assert text.startswith("ISA|00|          |00|          |12|5551234567     |ZZ|WMS            |260116|1230|^|00501|")
    assert text[:106].endswith("|000000042|0|T|:'")
    (found,) = read(text.encode())
    assert found.groups[0].version == "005010"
    assert "\n" not in text


def test_what_is_written_is_read_back_without_a_finding_and_is_the_same_each_time() -> None:
    body = written(PROFILE, "OW", "940", shipping_order(FULFILMENT, PROFILE), 7, AT)
    assert body == written(PROFILE, "OW", "940", shipping_order(FULFILMENT, PROFILE), 7, AT)
    partner = X12Partner()
    assert partner.strict("a file", body)
    assert partner.violations == []
    (found,) = read(body)
    (one,) = found.groups[0].transactions
    assert (found.findings, found.groups[0].findings, one.findings) == ((), (), ())
    assert (found.control, found.groups[0].control, found.groups[0].functional) == ("000000007", "7", "OW")


def test_a_cancel_has_no_lines_and_words_for_a_person() -> None:
    said = ["*".join(segment) for segment in cancel_order(FULFILMENT_CANCEL, PROFILE)]
    assert said == [f"W05*F*{FULFILMENT_ID}", "NTE*SPH*CANCELLED - DO NOT SHIP", "W76*0"]


def test_a_943_tells_what_is_on_its_way() -> None:
    advice = StockAdvice(
        key="k",
        reference=FULFILMENT_ID,
        lines=(AdvisedLine(line="1", sku="MUG-RED", quantity=4, title="Mug"),),
        location="loc-1",
        shipped_at=AT,
        tracking="1Z1",
    )
    said = ["*".join(segment).rstrip("*") for segment in transfer_advice(advice, PROFILE)]
    assert said == [
        f"W06*F*{FULFILMENT_ID}*20260116*{FULFILMENT_ID}",
        "N1*WH**91*loc-1",
        "N9*2I*1Z1",
        "W27*M***PP",
        "W04*4*EA**VN*MUG-RED",
        "G69*Mug",
        "N9*LI*1",
        "W03*4",
    ]


def test_words_lose_what_a_file_cannot_carry_and_identities_do_not() -> None:
    contact = Contact(name="Łukasz * Müller~", lines=("Weg " * 30,), city="Köln", postal_code="50667", country="DE")
    said = lines(msgspec.structs.replace(FULFILMENT, ship_to=contact))
    assert "N1*ST*?ukasz Muller" in said
    assert "N4*Koln**50667*DE" in said
    assert all(len(part) <= 55 for line in said if line.startswith("N3") for part in line.split("*"))
    for wrong in ("MUG*RED", "MUG~", "MÜG", "M" * 49):
        line = msgspec.structs.replace(FULFILMENT.lines[0], sku=wrong)
        with pytest.raises(Unwritable, match="SKU"):
            lines(msgspec.structs.replace(FULFILMENT, lines=(line,)))


@pytest.mark.parametrize(
    "contact",
    [Contact(name="A", lines=("x",)), Contact(country="DE"), Contact(name="A", country="DE", lines=("x",) * 5)],
)
def test_an_address_that_does_not_fit_is_told(contact: Contact) -> None:
    with pytest.raises(Unwritable, match="ship-to"):
        lines(msgspec.structs.replace(FULFILMENT, ship_to=contact))


def test_ids_that_are_longer_than_w0502_travel_without_their_dash() -> None:
    assert depositor_number("01KF0X5B3GCDEFGHJKMN-12") == "01KF0X5B3GCDEFGHJKMN12"
    with pytest.raises(Unwritable):
        depositor_number("01KF0X5B3GCDEFGHJKMN-123")


def test_numbers_end_before_they_repeat() -> None:
    for number in (0, 1_000_000_000):
        with pytest.raises(Unwritable, match="nine digits"):
            written(PROFILE, "OW", "940", [], number, AT)


def test_a_997_says_what_was_read() -> None:
    partner = X12Partner()
    good = partner.file("947", [("W15", "20260116", "ADJ-1"), ("W19", "06", "-2", "EA", "", "VN", "MUG")])
    order = partner.file("945", []).replace(b"ST*945", b"ST*850")
    verdicts = []
    for body in (good, good.replace(b"SE*4", b"SE*5"), good[: good.index(b"SE*")], order):
        (found,) = read(body)
        said = answer(found.groups[0]) or []
        verdicts.append(("*".join(said[2]), "*".join(said[-1])))
    assert verdicts == [
        ("AK5*A", "AK9*A*1*1*1"),
        ("AK5*E*4", "AK9*E*1*1*1"),
        ("AK5*R*2", "AK9*R*1*1*0*3"),
        ("AK5*R*1", "AK9*R*1*1*0"),
    ]
    assert answer(read(partner.file("997", []))[0].groups[0]) is None
