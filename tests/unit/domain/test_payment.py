"""Adding up payments: told twice, implied, pending, in another currency."""

from datetime import UTC, datetime
from typing import Any

from hub.domain.payment import Payment, PaymentKind, PaymentRequest, position
from hub.domain.states import RequestState

AT = datetime(2026, 1, 5, tzinfo=UTC)


def row(id: str, kind: str, amount: int, **more: Any) -> Payment:
    return Payment(
        external_id=id,
        kind=PaymentKind(kind),
        method="card",
        amount=amount,
        currency=more.pop("currency", "EUR"),
        status=more.pop("status", "done"),
        **more,
    )


def asked(no: int, kind: str, amount: int, state: RequestState, parent: str | None = "a") -> PaymentRequest:
    return PaymentRequest(
        order="O",
        no=no,
        kind=PaymentKind(kind),
        parent=parent,
        amount=amount,
        currency="EUR",
        asked_at=AT,
        state=state,
    )


def test_what_is_told_twice_counts_once_and_done_beats_pending() -> None:
    rows = [
        row("s", "sale", 500, status="pending"),
        row("s", "sale", 500),
        row("s", "sale", 500),
        row("r", "refund", 200),
    ]
    found = position(rows, "EUR")
    assert (found.captured, found.refunded, found.known) == (500, 200, True)


def test_coins_given_back_are_not_taken() -> None:
    found = position([row("s", "sale", 2000), row("c", "change", 300)], "EUR")
    assert (found.captured, found.refunded) == (1700, 0)


def test_what_was_implied_is_a_lower_bound_and_never_added() -> None:
    implied = row("o:card:sale", "sale", 1000, implied=True)
    assert position([implied], "EUR").captured == 1000
    assert position([implied, row("s", "sale", 1000)], "EUR").captured == 1000
    assert position([implied, row("c", "capture", 400)], "EUR").captured == 1000


def test_nothing_is_known_of_another_currency_or_of_nothing() -> None:
    assert not position([], "EUR").known
    assert not position([row("s", "sale", 500, currency="USD")], "EUR").known


def test_an_authorisation_holds_what_was_neither_captured_nor_asked_for() -> None:
    rows = [row("a", "authorise", 1000), row("c", "capture", 300, parent="a")]
    requests = [
        asked(1, "capture", 300, RequestState.DONE),
        asked(2, "capture", 200, RequestState.ASKED),
        asked(3, "capture", 900, RequestState.REFUSED),
    ]
    (held,) = position(rows, "EUR", requests).authorisations
    assert (held.external_id, held.left, held.captured) == ("a", 500, 300)


def test_a_void_ends_an_authorisation_also_while_it_is_asked_for() -> None:
    rows = [row("a", "authorise", 1000), row("b", "authorise", 500), row("v", "void", 500, parent="b")]
    assert [one.external_id for one in position(rows, "EUR").authorisations] == ["a"]
    assert position(rows, "EUR", [asked(1, "void", 1000, RequestState.ASKED)]).authorisations == ()
    assert len(position(rows, "EUR", [asked(1, "void", 1000, RequestState.REFUSED)]).authorisations) == 1


def test_a_real_authorisation_takes_the_place_of_an_implied_one() -> None:
    implied = row("o:card:authorise", "authorise", 1000, implied=True)
    (held,) = position([implied], "EUR").authorisations
    assert held.external_id is None
    (real,) = position([implied, row("a", "authorise", 1000)], "EUR").authorisations
    assert real.external_id == "a"
