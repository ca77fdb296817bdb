"""What holds for every Shopify order: sums come out, and nothing but the identity can keep an order from existing."""

import contextlib
import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.shopify.translate import FUNCTIONS
from hub.mapping.compile import compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from tests.unit.mapping.shopify_orders import order_bytes, shopify_order

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings" / "shopify"
MAPPING = compile_mapping(
    (MAPPINGS / "order.toml").read_text(),
    FUNCTIONS,
    CodeTables(load_tables((MAPPINGS / "tables.toml").read_text())),
)

goods = st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 999)), min_size=1, max_size=8)


@settings(max_examples=80, deadline=None)
@given(
    goods=goods,
    currency=st.sampled_from(["EUR", "JPY", "KWD", "ISK", "USD"]),
    presentment=st.sampled_from([None, "JPY", "EUR", "BHD"]),
    taxes_included=st.booleans(),
    discount=st.integers(0, 10**6),
    shipping=st.integers(0, 10**5),
)
def test_the_sum_of_the_parts_is_the_stated_total(goods, currency, presentment, taxes_included, discount, shipping):
    prices, quantities = zip(*goods, strict=True)
    order = shopify_order(
        currency=currency,
        presentment=presentment,
        taxes_included=taxes_included,
        prices=prices,
        quantities=quantities,
        discount=discount,
        shipping=shipping,
    )
    snapshot = MAPPING(order_bytes(order))
    content = snapshot.content
    amounts = content.amounts
    assert snapshot.problems == ()
    assert amounts.difference == 0
    assert amounts.shop.subtotal == sum(price * quantity for price, quantity in goods)
    assert amounts.shop.subtotal == sum(line.subtotal for line in content.lines)
    assert amounts.shop.discount == sum(line.discount for line in content.lines)
    assert [line.quantity for line in content.lines] == list(quantities)
    assert (amounts.presentment is None) == (presentment in (None, currency))
    if amounts.presentment is not None:
        assert amounts.presentment.currency == presentment
        assert amounts.presentment.total == 2 * amounts.shop.total


def _rich_order():
    """An order in which every part of the mapping has something to read."""
    order = shopify_order(2, lines=3, presentment="JPY")
    first = order["line_items"][0]
    transaction = {"id": 9, "kind": "refund", "status": "success", "gateway": "g", "amount": "5.00", "currency": "EUR"}
    order |= {"source_name": "pos", "location_id": 65, "current_total_price": "1.00", "transactions": [transaction]}
    order["fulfillments"] = [{"status": "success", "line_items": [{"id": first["id"], "quantity": 1}]}]
    order["refunds"] = [
        {
            "refund_line_items": [{"line_item_id": first["id"], "quantity": 1, "subtotal": 5.5, "total_tax": 0.5}],
            "order_adjustments": [{"kind": "shipping_refund", "amount": "-1.00", "tax_amount": "-0.19"}],
            "transactions": [transaction],
        }
    ]
    return order


ORDER = _rich_order()


def _paths(value, prefix=()):
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*prefix, key)
        yield from _paths(part, (*prefix, key))


PLACES = [path for path in _paths(ORDER) if path != ("id",)]
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
    | st.sampled_from(["NaN", "Infinity", "1e999999999", "0.001", "2026-01-01", "9999-12-31T23:59:59-23:00", "JPY"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "amount", "0"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), junk), min_size=1, max_size=4))
def test_whatever_stands_in_it_an_order_with_an_identity_exists(changes):
    order = copy.deepcopy(ORDER)
    for path, value in changes:
        _put(order, path, value)
    raw = json.dumps(order).encode()
    snapshot = MAPPING(raw)
    assert snapshot.content.external_id == str(ORDER["id"])
    assert snapshot == MAPPING.read_with_care(raw)
    assert all(problem.kind and problem.field for problem in snapshot.problems)
    largest = max((abs(line.subtotal) for line in snapshot.content.lines), default=0)
    assert largest < 2**63


def _put(order, path, value):
    """Set what stands at a path, unless an earlier change took the path away."""
    with contextlib.suppress(KeyError, IndexError, TypeError):
        holder = order
        for key in path[:-1]:
            holder = holder[key]
        known = range(len(holder)) if isinstance(holder, list) else holder
        if path[-1] in known:
            holder[path[-1]] = value


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_each_part_may_be_missing_or_null(path):
    for change in ("drop", None, {}, []):
        order = copy.deepcopy(ORDER)
        holder = order
        for key in path[:-1]:
            holder = holder[key]
        if change == "drop":
            del holder[path[-1]]
        else:
            holder[path[-1]] = change
        raw = json.dumps(order).encode()
        assert MAPPING(raw) == MAPPING.read_with_care(raw)
