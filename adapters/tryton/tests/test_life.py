"""An order's whole life in a real Tryton: part shipments, their invoices, a refund, a closed year, and bad weather."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from adapters.tryton.company import close_year
from adapters.tryton.harness import HARNESS, of_order
from adapters.tryton.simulator import TrytonBehindFaults
from hub.domain.posting import DocumentKind
from hub.sdk.outcomes import Done, NeedsPerson, Unauthorised, Uncertain
from hub.sdk.posting import PostingLine, PostingRequest
from hub.sdk.testkit.bench import bench
from hub.sdk.testkit.samples import POSTING

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("tryton")]

MUG, TEE = POSTING.lines
SALE = msgspec.structs.replace(POSTING, kind=DocumentKind.ORDER, shipment=None)
# 25.99 for two mugs, shipped one by one, and the tax in two unequal parts.
ONE = msgspec.structs.replace(MUG, quantity=1, amount=1299, tax=113)
OTHER = msgspec.structs.replace(MUG, quantity=1, amount=1300, tax=114)


def part(kind: DocumentKind, shipment: int, *lines: PostingLine, shipping: int = 0) -> PostingRequest:
    return msgspec.structs.replace(
        POSTING,
        kind=kind,
        key=f"{POSTING.order}-{kind}-{shipment}",
        shipment=f"{POSTING.order}-S{shipment}",
        lines=lines,
        shipping=shipping,
        total=sum(line.amount + line.tax for line in lines) + shipping,
    )


LIFE = (
    SALE,
    part(DocumentKind.DELIVERY, 1, ONE),
    part(DocumentKind.INVOICE, 1, ONE, shipping=500),
    part(DocumentKind.DELIVERY, 2, OTHER, TEE),
    part(DocumentKind.INVOICE, 2, OTHER, TEE),
    part(DocumentKind.CREDIT_NOTE, 2, TEE),
)


def check_books(simulator: TrytonBehindFaults) -> None:
    """What Tryton's own books say of the order."""
    rpc, order = simulator.rpc, simulator.order
    (sale,) = rpc.call(
        "model.sale.sale.search_read",
        [["reference", "=", order]],
        0,
        9,
        None,
        ["state", "shipment_state", "total_amount", "shipments"],
    )
    assert Decimal(sale["total_amount"]["decimal"]) == Decimal("55.00")
    assert sale["shipment_state"] == "sent"
    shipments = rpc.call("model.stock.shipment.out.read", sale["shipments"], ["state", "reference", "outgoing_moves"])
    assert sorted((one["reference"], one["state"]) for one in shipments) == [
        (f"{order}-S1", "done"),
        (f"{order}-S2", "done"),
    ]
    moves = [move for one in shipments for move in one["outgoing_moves"]]
    left = rpc.call("model.stock.move.read", moves, ["quantity", "state"])
    assert sum(one["quantity"] for one in left if one["state"] == "done") == 3
    documents = rpc.call(
        "model.account.invoice.search_read",
        [["reference", "like", f"{order}%"]],
        0,
        9,
        [["id", "ASC"]],
        ["state", "total_amount", "tax_amount"],
    )
    assert [(one["state"], one["total_amount"]["decimal"], one["tax_amount"]["decimal"]) for one in documents] == [
        ("posted", "19.12", "1.13"),
        ("posted", "35.88", "2.89"),
        ("posted", "-21.74", "-1.75"),
    ]


async def test_each_document_is_in_the_books_once_in_bad_weather() -> None:
    async with bench(HARNESS) as trial:
        simulator = trial.simulator
        assert isinstance(simulator, TrytonBehindFaults)
        HARNESS.prepare(simulator, "post", SALE)
        simulator.random.seed(1)
        simulator.faults.lost_reply = simulator.faults.server_error = 0.05
        hurt = 0
        for document in LIFE:
            request = of_order(document, simulator.order)
            outcome = await trial.write("post", request)
            while not isinstance(outcome, Done):
                assert not isinstance(outcome, NeedsPerson), outcome
                hurt += 1
                again = msgspec.structs.replace(request, look_first=isinstance(outcome, Uncertain))
                outcome = await trial.write("post", again)
        assert hurt > 3
        check_books(simulator)


async def test_a_closed_year_needs_a_person_and_its_invoice_goes_through_once_it_is_open() -> None:
    async with bench(HARNESS) as trial:
        simulator = trial.simulator
        assert isinstance(simulator, TrytonBehindFaults)
        request = trial.command("post")
        year = datetime.now(UTC).year
        close_year(simulator.rpc, year, closed=True)
        try:
            outcome = await trial.write("post", request)
        finally:
            close_year(simulator.rpc, year, closed=False)
            # A closed period closes its journals' periods, and opening it again leaves them closed.
            shut = simulator.rpc.call("model.account.journal.period.search", [["state", "=", "closed"]], 0, 99, None)
            simulator.rpc.call("model.account.journal.period.reopen", shut)
        assert isinstance(outcome, NeedsPerson)
        assert outcome.kind == "period_locked"
        assert "open the period" in outcome.next_step
        assert trial.effects("post", request) == 0
        assert isinstance(await trial.write("post", request), Done)
        assert trial.effects("post", request) == 1


async def test_what_tryton_lacks_is_named() -> None:
    async with bench(HARNESS) as trial:
        simulator = trial.simulator
        assert isinstance(simulator, TrytonBehindFaults)
        hat = PostingLine(line="9", sku="NO-SUCH-HAT", title="Hat", quantity=1, amount=100)
        sale = of_order(part(DocumentKind.ORDER, 1, hat), simulator.order)
        outcome = await trial.write("post", sale)
        assert isinstance(outcome, NeedsPerson)
        assert "NO-SUCH-HAT" in outcome.reason
        outcome = await trial.write("post", of_order(part(DocumentKind.DELIVERY, 1, hat), simulator.order))
        assert isinstance(outcome, NeedsPerson)
        assert "post the order first" in outcome.next_step
    async with bench(HARNESS, refused=True) as trial:
        assert isinstance(await trial.write("post", sale), Unauthorised)
