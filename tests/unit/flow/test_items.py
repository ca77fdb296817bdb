"""What a ledger says of an item: what of it counts, and what is refused by name."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from hub.domain.facts import ItemReported
from hub.domain.item import Customs, Dimensions, Particulars
from hub.flow.items import fault, merged

NOW = datetime(2026, 1, 15, tzinfo=UTC)
KNOWN = Particulars(
    title="Mug",
    barcodes=("1", "2"),
    conversions={"case": 12},
    weight_g=400,
    dimensions=Dimensions(length_mm=1, width_mm=2, height_mm=3),
    customs=Customs(hs_code="6912", origin_country="PT", description="Mugs", value={"EUR": Decimal(2)}),
    unit_cost={"EUR": Decimal("3.20")},
    price={"EUR": Decimal("9.90")},
)


def said(**values: Any) -> ItemReported:
    return ItemReported(at=NOW, sku="MUG", **values)


def test_what_is_not_said_stays() -> None:
    assert merged(KNOWN, said()) == KNOWN
    same = said(title="Mug", barcodes=("1", "2"), base_unit="each", price={"EUR": Decimal("9.9")}, hs_code="6912")
    assert merged(KNOWN, same) == KNOWN, "9.9 is 9.90"


def test_each_field_currency_and_unit_that_is_said_replaces_its_own() -> None:
    told = said(
        barcodes=("3",),
        conversions={"box": 6},
        weight_g=0,
        unit_cost={"USD": Decimal("3.50")},
        price={"EUR": Decimal(8)},
        origin_country="CN",
    )
    assert merged(KNOWN, told) == msgspec.structs.replace(
        KNOWN,
        barcodes=("3",),
        conversions={"case": 12, "box": 6},
        weight_g=0,
        unit_cost={"EUR": Decimal("3.20"), "USD": Decimal("3.50")},
        price={"EUR": Decimal(8)},
        customs=Customs(hs_code="6912", origin_country="CN", description="Mugs", value={"EUR": Decimal(2)}),
    )


def test_units_of_another_base_unit_are_forgotten_with_it() -> None:
    assert merged(KNOWN, said(base_unit="kg", conversions={"sack": 25})).conversions == {"sack": 25}
    assert merged(KNOWN, said(base_unit="kg")).conversions == {}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"price": {"EUR": Decimal(-1)}}, "price EUR -1: negative"),
        ({"unit_cost": {"USD": Decimal("0.1234567")}}, "unit_cost USD 0.1234567: more than 6 decimal places"),
        ({"price": {"EUR": Decimal("NaN")}}, "price EUR NaN: no amount"),
        ({"price": {"EUR": Decimal("1E+12")}}, "price EUR 1E+12: more than 12 digits"),
        ({"price": {"EURO": Decimal(1)}}, "price EURO 1: no currency of ISO 4217"),
        ({"title": "x" * 501}, "title is empty, or longer than 500 characters"),
        ({"barcodes": ("",)}, "barcode is empty, or longer than 100 characters"),
        ({"origin_country": "Germany"}, "origin_country 'Germany' is no code of two capitals"),
        ({"weight_g": -1}, "weight_g -1 is out of range"),
        ({"conversions": {"case": 0}}, "dimensions and conversions are positive numbers"),
        ({"dimensions": Dimensions(length_mm=0, width_mm=1, height_mm=1)}, "dimensions and conversions"),
    ],
)
def test_a_malformed_value_is_named(values: dict[str, Any], told: str) -> None:
    found = fault(said(**values))
    assert found is not None
    assert found.startswith(told)


def test_what_is_in_order_is_not_named() -> None:
    assert fault(said(title="Mug", price={"JPY": Decimal("1600.5"), "EUR": Decimal("999999999999.999999")})) is None
    assert fault(said(weight_g=0, unit_cost={"EUR": Decimal(0)}, origin_country="PT", hs_code="6912")) is None
