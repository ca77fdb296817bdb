"""What the conformance suite needs to know of a partner that speaks X12."""

from pathlib import Path
from typing import Any, Final

from adapters.x12.adapter import ADAPTER
from adapters.x12.interchange import Party
from adapters.x12.settings import Profile, Settings
from adapters.x12.simulator import THEM, US, X12Partner
from adapters.x12.split import ANSWER
from hub.sdk.testkit.harness import Harness, Sample, json_sample
from hub.sdk.testkit.samples import FULFILMENT_ID

PROFILE: Final = Profile(us=Party(id=THEM), partner=Party(id=US))

WHERE: Final = "ISA 000000007, GS 7, ST 0001"


def settings(partner: X12Partner) -> Settings:
    """A connection to its server."""
    return Settings(
        partner="warehouse",
        base_url=partner.base_url,
        username=partner.username,
        password=partner.password,
        host_keys=(partner.host_key,),
        settle_seconds=0,
        profile=PROFILE,
    )


def effects(partner: X12Partner, capability: str, request: Any) -> int:
    """How many files say it."""
    if capability == "cancel_fulfilment":
        return partner.asked_back(request.fulfilment)
    if capability == "advise_stock":
        return partner.advised(request.reference)
    return partner.asked(request.fulfilment)


def fill(partner: X12Partner) -> int:
    """Three files."""
    for units in range(3):
        partner.count({"MUG": units})
    return 3


def stored(partner: X12Partner) -> tuple[str, bytes]:
    """A file that was taken in."""
    body = [("W06", "F", FULFILMENT_ID, "20260116", "BOL-1"), ("W12", "CC", "1", "1", "", "EA", "", "VN", "MUG")]
    return "2026-01-16T12:00:00+00:00 945_000001.edi", partner.file("945", body)


def document(set_: str, *segments: str) -> dict[str, object]:
    """A stored transaction."""
    split = [segment.split("*") for segment in segments]
    return {"set": set_, "where": WHERE, "sent": "202601161200", "location": "loc-1", "segments": split}


SHIPPED: Final = document(
    "945",
    f"W06*F*{FULFILMENT_ID}*20260116*BOL-1",
    "G62*11*20260116*8*1430",
    "W27*M*UPSN*Ground",
    "LX*1",
    "MAN*CP*1Z999AA10123456784",
    "W12*CC*2*2**EA**VN*MUG-RED*LOT7",
    "N9*LI*1",
    "W03*2*3*LB",
)
RECEIVED: Final = document(
    "944", f"W17*F*20260116*REC-1*{FULFILMENT_ID}", "W07*2*EA**VN*MUG-RED", "W13*1*EA*01", "W14*2"
)
BOUGHT: Final = document("944", "W17*F*20260116*REC-2*PO-77", "W07*5*CA**VN*MUG-RED", "W13*1*CA*01", "W14*5")
LEVELS: Final = document("846", "BIA*00*SI*INV-1*20260116*0600", "LIN*1*VN*MUG-RED", "QTY*33*7*EA", "CTT*1")
CHANGES: Final = document("947", "W15*20260116*ADJ-1*ADJ-1", "W19*06*-2*EA**VN*MUG-RED")
ANSWERED: Final = {"said": {"held": f"submit:{FULFILMENT_ID}", "taken": True, "text": ""}}

ROW: Final = {"quantity": 2, "at": "2026-01-16T12:00:00Z", "fulfilment": FULFILMENT_ID, "sku": "MUG", "location": "l"}
ROWS: Final = {"says": "shipped", "rows": [ROW]}

HARNESS: Final = Harness[X12Partner, Settings](
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=X12Partner,
    settings=settings,
    effects=effects,
    samples=(
        Sample(topic="file", body=b"ISA*00*", event="file", signed=False),
        json_sample("945", SHIPPED, identity="segments", status="segments.5.1", event="945", signed=False),
        json_sample("944", RECEIVED, identity="segments", status="segments.2.3", event="944", signed=False),
        json_sample("944.stock", BOUGHT, identity="segments", status="segments.2.3", event="944s", signed=False),
        json_sample("846", LEVELS, identity="segments", status="segments.0.1", event="846", signed=False),
        json_sample("947", CHANGES, identity="segments", status="segments.1.1", event="947", signed=False),
        json_sample(ANSWER, ANSWERED, identity="said", event="997", signed=False),
        json_sample("rows.shipped", ROWS, identity="rows", event="rows", signed=False),
        json_sample("rows.stock", ROWS | {"says": "levels"}, identity="rows", event="levels", signed=False),
    ),
    fill={"status": fill},
    fetched={"file": stored},
)
