"""What a document comes to in a ledger, and what must never be sent to one."""

from datetime import UTC, datetime

import msgspec
import pytest

from hub.sdk.booking import Role, document_lines, of_period, unbalanced, with_total
from hub.sdk.outcomes import Booked, Done, Interrupted, NeedsPerson
from hub.sdk.posting import EntryLine, PostingLine
from hub.sdk.testkit.samples import PAYMENT_ENTRY, POSTING

TIP = PostingLine(line="tip", sku=None, title="Tip", quantity=1, amount=300)


def test_each_line_has_a_role_and_they_come_to_the_total() -> None:
    request = msgspec.structs.replace(POSTING, lines=(*POSTING.lines, TIP), total=POSTING.total + 300)
    lines = document_lines(request, tax_apart=True)
    assert [line.role for line in lines] == [Role.GOODS, Role.GOODS, Role.TIP, Role.SHIPPING, Role.TAX]
    assert sum(line.amount for line in lines) == request.total


def test_tax_in_the_prices_is_taken_out_only_where_it_is_a_line_of_its_own() -> None:
    included = msgspec.structs.replace(POSTING, tax_included=True, total=2599 + 1999 + 500)
    assert sum(line.amount for line in document_lines(included, tax_apart=True)) == included.total
    assert [line.amount for line in document_lines(included, tax_apart=False)] == [2599, 1999, 500]


def test_a_document_that_does_not_add_up_is_refused_by_name() -> None:
    off = msgspec.structs.replace(POSTING, total=POSTING.total + 1)
    problem = unbalanced(off)
    assert problem is not None
    assert (problem.kind, "55.01" in problem.reason) == ("posting_unbalanced", True)
    with pytest.raises(Interrupted, match=r"55\.01"):
        document_lines(off, tax_apart=True)
    assert unbalanced(POSTING) is None


@pytest.mark.parametrize(
    "lines",
    [
        (EntryLine(account="clearing", debit=100), EntryLine(account="customer", credit=99)),
        (EntryLine(account="clearing", debit=100),),
        (),
    ],
)
def test_an_entry_whose_sides_differ_or_are_nothing_is_refused(lines: tuple[EntryLine, ...]) -> None:
    problem = unbalanced(msgspec.structs.replace(PAYMENT_ENTRY, lines=lines))
    assert problem is not None
    assert problem.kind == "posting_unbalanced"
    assert unbalanced(PAYMENT_ENTRY) is None


def test_a_currency_that_nobody_knows_is_refused() -> None:
    assert unbalanced(msgspec.structs.replace(POSTING, currency="XXB")) is not None


def test_what_was_booked_is_what_was_asked_for_unless_the_ledger_says_otherwise() -> None:
    done = with_total(Done(reference="INV1"), POSTING)
    assert isinstance(done, Done)
    assert done.booked == Booked(kind="invoice", amount=5500, currency="USD", dated=POSTING.dated)
    said = Booked(kind="invoice", amount=5499, currency="USD", dated=POSTING.dated)
    kept = with_total(Done(booked=said), POSTING)
    assert isinstance(kept, Done)
    assert kept.booked == said


def test_a_locked_period_is_one_cause_for_every_document_of_its_month() -> None:
    dated = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    found = [
        of_period(Interrupted(NeedsPerson(kind="period_locked", reason=said, next_step="open it")), "acme", dated)
        for said in ("document 1 is in a closed period", "document 2 is in a closed period")
    ]
    assert {one.outcome.reason for one in found} == {"acme: the period of 2026-01 is locked"}
    other = Interrupted(NeedsPerson(reason="no such item", next_step="create it"))
    assert of_period(other, "acme", dated) is other
