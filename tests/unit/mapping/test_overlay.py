"""A merchant's overlay: checked when saved, failing softly when applied."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.shopify.translate import FUNCTIONS
from hub.cel import LONGEST_SOURCE
from hub.domain.order import Method
from hub.mapping.compile import compile_mapping
from hub.mapping.errors import MappingFault
from hub.mapping.overlay import check_overlay, compile_overlay
from hub.mapping.preview import preview
from hub.mapping.tables import CodeTables, load_tables
from tests.unit.mapping.shopify_orders import order_bytes, shopify_order

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings" / "shopify"


def overlaid(text, **changes):
    """A two-line order under an overlay."""
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text()))
    overlay = compile_overlay(text) if text else None
    mapping = compile_mapping((MAPPINGS / "order.toml").read_text(), FUNCTIONS, tables, overlay)
    return mapping(order_bytes({**shopify_order(1, lines=2), **changes}))


def test_content_is_set_from_the_document_and_the_result():
    snapshot = overlaid(
        """
        [set]
        "content.customer_group" = 'raw.customer.email.endsWith(".example") ? "b2b" : "b2c"'
        content.tags = 'order.content.tags + ["checked"]'
        content.source = 'null'
        """
    )
    assert snapshot.problems == ()
    assert snapshot.content.customer_group == "b2b"
    assert snapshot.content.tags == ("newsletter", "vip", "checked")
    assert snapshot.content.source is None


def test_lines_see_themselves_and_their_raw_row():
    lines = overlaid(
        """
        [set]
        "lines[].sku" = 'line.sku.lowerAscii() + "/" + string(item.variant_id)'
        "lines[].ships" = 'item.grams > 1000'
        """
    ).content.lines
    assert [(line.sku, line.ships) for line in lines] == [
        ("rope-95-60-bl/44000000000000", False),
        ("sock-me-m/44000000000001", False),
    ]


def test_a_new_group_takes_after_the_one_its_line_came_from():
    groups = overlaid(
        """
        [set]
        "lines[].group" = 'line.sku.startsWith("SOCK") ? "preorder" : line.group'
        "groups.preorder.not_before" = 'timestamp("2026-09-01T00:00:00Z")'
        "groups.main.service" = '"express"'
        """
    ).content.groups
    assert [(group.key, group.method, group.service, group.not_before) for group in groups] == [
        ("main", Method.SHIP, "express", None),
        ("preorder", Method.SHIP, "Standard", datetime(2026, 9, 1, tzinfo=UTC)),
    ]
    assert groups[0].place == groups[1].place


def test_a_group_that_loses_its_lines_is_gone():
    groups = overlaid("""[set]\n"lines[].group" = '"later"'""").content.groups
    assert [group.key for group in groups] == ["later"]


def test_an_address_can_be_completed():
    address = {**shopify_order()["shipping_address"], "country_code": None, "country": None}
    assert overlaid("", shipping_address=address).problems[0].kind == "missing_address"
    snapshot = overlaid("""[set]\n"contacts.ship.country" = '"DE"'""", shipping_address=address)
    assert snapshot.problems == ()
    assert snapshot.content.groups[0].place.country == "DE"


def test_own_tables_come_first():
    text = '[tables.status]\npaid = "pending"\n[tables.method]\nStandard = "pick_up"'
    content = overlaid(text).content
    assert content.financial_status == "pending"
    assert content.groups[0].method is Method.PICK_UP


def test_ids_and_amounts_reach_expressions_exactly():
    order = {"id": 9_007_199_254_740_993, "app_id": 2**70, "landing_site_ref": 1.10}
    snapshot = overlaid(
        """
        [set]
        "content.source" = 'string(raw.id) + " " + raw.app_id + " " + raw.landing_site_ref + " " + raw.total_tax'
        """,
        **order,
    )
    assert snapshot.problems == ()
    assert snapshot.content.source.startswith("9007199254740993 1180591620717411303424 1.1 ")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("raw.nothing.here", 'Key not found in map : "nothing"'),
        ("raw.id", None),
        ("string(1 / 0)", "divide by zero"),
        ("raw.line_items", "bad_text: (list)"),
        ('"a\\u0000b"', "NUL"),
        ("[raw.customer.first_name, raw.x].join()", "Key not found"),
    ],
)
def test_an_expression_without_a_value_leaves_the_field_and_is_a_problem(expression, reason):
    snapshot = overlaid(f"[set]\n\"content.source\" = '''{expression}'''")
    if reason is None:
        assert (snapshot.content.source, snapshot.problems) == ("5600000000001", ())
        return
    (problem,) = snapshot.problems
    assert snapshot.content.source == "web"
    assert (problem.kind, problem.field, problem.path) == ("overlay_failed", "content.source", expression)
    assert reason in problem.value


def test_a_failure_on_a_line_names_the_line():
    snapshot = overlaid("""[set]\n"lines[].gift_card" = 'item.sku == "SOCK-ME-M" ? item.missing : false'""")
    assert [problem.line for problem in snapshot.problems] == [snapshot.content.lines[1].external_id]


@pytest.mark.parametrize(
    ("target", "expression"),
    [
        ("lines[].group", "dyn(null)"),
        ("lines[].managed_by", '"somebody"'),
        ("groups.main.method", '"teleport"'),
        ("groups.main.not_before", '"tomorrow"'),
        ("contacts.ship.country", '"Narnia"'),
        ("contacts.ship.latitude", "dyn([1])"),
        ("contacts.ship.lines", "dyn(5)"),
        ("content.tags", "dyn([1])"),
    ],
)
def test_a_value_that_the_field_cannot_hold_is_a_problem(target, expression):
    before = overlaid("")
    snapshot = overlaid(f"[set]\n\"{target}\" = '''{expression}'''")
    assert {problem.kind for problem in snapshot.problems} == {"overlay_failed"}
    assert (snapshot.content, snapshot.contacts) == (before.content, before.contacts)


def test_what_is_said_of_a_person_is_not_quoted():
    (problem,) = overlaid("""[set]\n"contacts.ship.country" = 'raw.customer.first_name'""").problems
    assert "Kim" not in problem.value


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("[set", "overlay", "Expected"),
        ("[rules]\na = 1", "rules", "no such section"),
        ("set = 5", "set", "must be a section"),
        ("[set]\nprice = '1'", "set.price", "targets begin with"),
        ("[set]\ncontent.currency = '1'", "set.content.currency", "may be set"),
        ("[set]\n'lines[].quantity' = '1'", "set.lines[].quantity", "may be set"),
        ("[set]\ngroups.Main.service = '1'", "set.groups.Main.service", "groups.<key>.<field>"),
        ("[set]\ncontent.source = 5", "set.content.source", "not an expression"),
        ("[set]\ncontent.source = 'raw.x +'", "set.content.source, line 1, column 8", "Syntax error"),
        ("[set]\ncontent.source = '''\"a\"\n + row.x'''", "set.content.source, line 2, column 7", "undeclared"),
        ("[set]\ncontent.source = 'line.sku'", "set.content.source, line 1, column 5", "undeclared"),
        ("[set]\ncontent.source = 'raw.?x'", "set.content.source", "gives optional_type"),
        ("[set]\ncontent.test = '\"yes\"'", "set.content.test", "gives STRING, the field takes BOOL"),
        ("[tables.status]\na = 1", "tables.status.a", "canonical word"),
    ],
)
def test_an_overlay_that_cannot_be_saved_says_where_and_why(text, position, message):
    (fault,) = check_overlay(text)
    assert fault.position == position
    assert message in fault.message
    with pytest.raises(MappingFault):
        compile_overlay(text)


def test_all_faults_are_told_at_once_and_a_good_overlay_has_none():
    assert len(check_overlay("[set]\ncontent.a = '1'\ncontent.b = '1'\ncontent.source = '('")) == 3
    assert check_overlay("[set]\ncontent.source = 'raw.x'\n[tables.t]\na = 'b'") == []


def test_an_expression_is_no_longer_than_4_kb():
    source = '"' + "x" * LONGEST_SOURCE + '"'
    (fault,) = check_overlay(f"[set]\ncontent.source = '{source}'")
    assert "longer than 4096" in fault.message


def test_an_expression_without_end_ends():
    lists = "[1,2,3,4,5,6,7,8,9,10]"
    source = f"string({lists}.map(a, {lists}.map(b, {lists}.map(c, {lists}.map(d, {lists}.map(e, 1))))).size())"
    (problem,) = overlaid(f"[set]\ncontent.source = '{source}'").problems
    assert problem.kind == "overlay_failed"


def test_a_preview_shows_result_problems_and_malformed_bodies():
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text()))
    mapping = compile_mapping((MAPPINGS / "order.toml").read_text(), FUNCTIONS, tables)
    shown = preview(mapping, order_bytes(shopify_order(1, lines=1)))
    assert json.loads(json.dumps(shown.result))["content"]["lines"][0]["sku"] == "ROPE-95-60-BL"
    assert (shown.problems, shown.malformed) == ((), None)
    assert preview(mapping, b"{}").malformed == "external_id: cannot read 'null' at id"
