"""Mapping files: what they make of documents, and what is said of files that are wrong."""

import json
from decimal import Decimal

import pytest

from hub.domain.order import Method
from hub.domain.payment import PaymentKind
from hub.mapping.compile import compile_mapping
from hub.mapping.errors import Malformed, MappingFault
from hub.mapping.tables import CodeTables

FILE = """
format = 1
makes = "order"
unwrap = "sale"

[let]
code = "ship.code"

[content]
external_id = "id"
version = { path = "changed", default = "1970-01-01T00:00:01Z" }
number = ["label", "id"]
placed_at = "made"
currency = "money"
financial_status = { path = "paid", table = "status" }
tags = "tags"

[amounts.placed]
stated_total = "sum"
[amounts.placed.shop]
currency = "money"
subtotal = { total_of = "subtotal" }
tax = "taxes[].parts[].amount"

[lines]
each = "parcels[].rows"
external_id = "id"
quantity = { path = "n", as = "quantity" }
subtotal = { call = "twice", args = ["price"] }
group = { value = "main" }

[contacts.ship]
from = "to"
name = "name"
lines = ["one", "two"]
city = "city"
country = "land"

[groups.main]
method = { path = "@code", table = "method", default = "ship" }
contact = { value = "ship" }

[payments]
each = ["paid_by", "more[].paid_by"]
external_id = "id"
kind = { path = "what", table = "kind" }
method = "how"
amount = "amount"
currency = "$.money"
status = { value = "done" }
"""
TABLES = CodeTables({"status": {"yes": "paid"}, "kind": {"took": "capture"}, "method": {"c": "pick_up"}})
ORDER = {
    "id": 7,
    "made": "2026-01-02T03:04:05Z",
    "money": "EUR",
    "paid": "yes",
    "tags": ["a"],
    "sum": "24.00",
    "taxes": [{"parts": [{"amount": "1.00"}, {"amount": 2}]}, {"parts": []}, {}],
    "parcels": [{"rows": [{"id": "x", "n": 2, "price": "3.50"}]}, {"rows": [{"id": "y", "n": 1, "price": 7}]}],
    "to": {"name": "Kim", "one": "Weg 1", "two": None, "city": "Ulm", "land": "DE"},
    "paid_by": [{"id": 1, "what": "took", "how": "gift_card", "amount": "24.00"}],
    "more": [{"paid_by": [{"id": 1, "what": "took", "how": "again", "amount": "1.00"}]}],
}


def twice(price):
    return Decimal(str(price)) * 2


@pytest.fixture(scope="module")
def mapping():
    return compile_mapping(FILE, {"twice": twice}, TABLES)


def body(**changes):
    return json.dumps({**ORDER, **changes}).encode()


def test_an_order_is_made_of_paths_lists_tables_functions_and_defaults(mapping):
    snapshot = mapping(body())
    content = snapshot.content
    assert snapshot.problems == ()
    assert (content.external_id, content.number, content.version) == ("7", "7", 1_000_000)
    assert content.financial_status == "paid"
    assert [(line.external_id, line.quantity, line.subtotal) for line in content.lines] == [
        ("x", 2, 700),
        ("y", 1, 1400),
    ]
    assert (content.amounts.shop.tax, content.amounts.stated_total, content.amounts.difference) == (300, 2400, 0)
    assert snapshot.contacts["ship"].lines == ("Weg 1",)
    assert content.groups[0].place.country == "DE"
    assert content.groups[0].method is Method.SHIP


def test_a_payment_counts_once_under_its_id(mapping):
    (payment,) = mapping(body()).content.payments
    assert (payment.kind, payment.method, payment.amount) == (PaymentKind.CAPTURE, "gift_card", 2400)


def test_a_payments_flag_that_is_not_there_has_its_default():
    flagged = compile_mapping(
        FILE.replace('status = { value = "done" }', 'status = { value = "done" }\nimplied = "guess"'),
        {"twice": twice},
        TABLES,
    )
    guessed = [{"id": 1, "what": "took", "how": "cash", "amount": "1", "guess": True}]

    assert [payment.implied for payment in flagged(body()).content.payments] == [False]
    assert [payment.implied for payment in flagged(body(paid_by=guessed, more=None)).content.payments] == [True]


def test_a_wrapped_document_is_unwrapped(mapping):
    assert mapping(b'{"sale": ' + body() + b"}") == mapping(body())


def test_a_let_is_looked_up_in_a_table(mapping):
    groups = mapping(body(ship={"code": "C"})).content.groups
    assert groups[0].method is Method.PICK_UP


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"note": "x"}',
        b"[" * 100_000,
        b'{"id": null}',
        b'{"id": ""}',
        b'{"id": 1.5}',
        b'{"id": true}',
        b'{"id": ["7"]}',
        b'{"id": 1e9999999999999999999999}',
        b'{"id": "a\\u0000b"}',
    ],
)
def test_without_an_identity_there_is_no_order(mapping, raw):
    with pytest.raises(Malformed):
        mapping(raw)


def test_a_nul_in_a_mapped_text_is_malformed_and_names_its_place(mapping):
    with pytest.raises(Malformed, match="with a NUL") as caught:
        mapping(body(label="a\0b"))
    assert caught.value.path == "content.number"


def test_a_nul_about_a_person_is_not_quoted(mapping):
    with pytest.raises(Malformed) as caught:
        mapping(body(to={"name": "Kim\0"}))
    assert "Kim" not in str(caught.value)


def test_a_nul_that_nothing_reads_and_an_escaped_backslash_are_nothing(mapping):
    assert mapping(body(note="a\0b", label="\\u0000")).content.number == "\\u0000"


def test_a_number_beyond_any_decimal_is_a_problem_of_its_field(mapping):
    raw = body().replace(b'"24.00", "taxes"', b'1e9999999999999999999999, "taxes"')
    (problem,) = mapping(raw).problems
    assert (problem.kind, problem.field, problem.path) == ("bad_money", "amounts.stated_total", "sum")


def test_what_the_lean_reading_cannot_take_is_read_with_care(mapping):
    snapshot = mapping(body(parcels={"rows": {"id": "x", "n": 2, "price": "3.50"}}, taxes={}))
    assert snapshot.problems == ()
    assert [line.external_id for line in snapshot.content.lines] == ["x"]


def test_a_function_that_cannot_work_is_a_problem_with_its_arguments(mapping):
    rows = [{"rows": [{"id": "x", "n": 1, "price": "three"}]}]
    (problem,) = mapping(body(parcels=rows)).problems
    assert (problem.kind, problem.field, problem.path, problem.value, problem.line) == (
        "bad_money",
        "lines.subtotal",
        "parcels[].rows[].price",
        "three",
        "x",
    )


def test_a_line_keeps_existing_with_a_bad_quantity_or_without_an_id(mapping):
    rows = [{"rows": [{"id": "x", "n": -1, "price": "1"}, {"n": 1, "price": "1"}, 5]}]
    snapshot = mapping(body(parcels=rows))
    assert [(line.external_id, line.quantity) for line in snapshot.content.lines] == [("x", 0), ("?2", 1)]
    assert [(problem.kind, problem.line) for problem in snapshot.problems] == [
        ("bad_row", None),
        ("bad_quantity", "x"),
        ("missing_field", "?2"),
    ]


def test_two_lines_of_one_id_are_told_apart(mapping):
    row = {"id": "x", "n": 1, "price": "1"}
    snapshot = mapping(body(parcels=[{"rows": [row, row]}]))
    assert [line.external_id for line in snapshot.content.lines] == ["x", "x?2"]
    assert snapshot.problems[0].kind == "duplicate_line"


@pytest.mark.parametrize("parcels", [None, [], {}])
def test_a_body_without_lines_is_not_an_order_of_nothing(mapping, parcels):
    (problem,) = mapping(body(parcels=parcels)).problems
    assert (problem.kind, problem.field, problem.path) == ("missing_field", "lines", "parcels[].rows")


@pytest.mark.parametrize(
    ("to", "lacks"),
    [
        (None, "no address"),
        ({}, "no address"),
        ({"name": "Kim", "one": "Weg 1"}, "no country, no city and postal code"),
        ({"name": "Kim", "land": "DE", "city": "Ulm"}, "no street"),
    ],
)
def test_goods_to_send_need_an_address(mapping, to, lacks):
    (problem,) = mapping(body(to=to)).problems
    assert (problem.kind, problem.path, problem.value) == ("missing_address", "to", lacks)


def test_goods_to_collect_need_none(mapping):
    assert mapping(body(to=None, ship={"code": "c"})).problems == ()


def test_an_unknown_word_keeps_the_field_empty_and_its_word_in_the_problem(mapping):
    snapshot = mapping(body(paid="maybe"))
    assert snapshot.content.financial_status is None
    assert [(one.kind, one.field, one.value) for one in snapshot.problems] == [
        ("unmapped_status", "financial_status", "maybe")
    ]


def test_a_payment_that_cannot_be_read_is_left_out_and_told(mapping):
    snapshot = mapping(body(paid_by=[{"id": 1, "what": "lent", "amount": "1"}], more=None))
    assert snapshot.content.payments == ()
    assert [(one.kind, one.field) for one in snapshot.problems] == [
        ("unmapped_kind", "payments.kind"),
        ("missing_field", "payments.method"),
    ]


def test_what_must_stand_somewhere_is_evidently_no_answer(mapping):
    content = mapping(body(made="never", money=None)).content
    assert (content.placed_at.year, content.currency, content.amounts.shop.total) == (1970, "XXX", 0)


@pytest.mark.parametrize(
    ("old", "new", "position"),
    [
        ("format = 1", "format = 2", "mapping"),
        ('tags = "tags"', 'tagz = "tags"', "content.tagz"),
        ('tags = "tags"', 'tags = "a..b"', "content.tags"),
        ('tags = "tags"', "tags = 5", "content.tags"),
        ('tags = "tags"', 'tags = { path = "a", call = "b" }', "content.tags"),
        ('tags = "tags"', 'tags = { path = "a", tabel = "b" }', "content.tags.tabel"),
        ('tags = "tags"', 'tags = { path = "a", as = "tag" }', "content.tags.as"),
        ('call = "twice"', 'call = "thrice"', "lines.subtotal.call"),
        ('external_id = "id"\nversion', "version", "content.external_id"),
        ('"@code"', '"@coda"', "groups.main."),
        ("[let]\n", "[let]\n'a b' = 'id'\n", "let.a b"),
        ('from = "to"\n', "", "contacts.ship.from"),
        ('each = "parcels[].rows"\n', "", "lines.each"),
        ("[amounts.placed.shop]\n", "[amounts.placed.shopp]\n", "amounts.placed.shopp"),
        ('total_of = "subtotal"', 'total_of = "quantity"', "amounts.shop.subtotal"),
        ('method = "how"\n', "", "payments.method"),
        ('tax = "taxes[].parts[].amount"', 'tax = ["taxes[].a.b", "taxes.a.c"]', "amounts.placed.shop"),
    ],
)
def test_a_file_that_is_wrong_names_the_place(old, new, position):
    assert old in FILE
    with pytest.raises(MappingFault) as caught:
        compile_mapping(FILE.replace(old, new), {"twice": twice}, TABLES)
    assert caught.value.position == position
