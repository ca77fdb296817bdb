"""What a label declares at a border, and what is not bought because nobody could declare it."""

from decimal import Decimal

import msgspec
import pytest

from adapters.easypost import client
from adapters.easypost.customs import customs_info
from adapters.easypost.settings import Settings
from adapters.easypost.simulator import EasyPostSimulator
from hub.sdk.capabilities import Context, Declaration, DeclaredGoods, LabelRequest, ParcelToShip
from hub.sdk.outcomes import Done, NeedsPerson
from hub.sdk.testkit.samples import LABEL

MUGS = DeclaredGoods(description="Mug", quantity=3, value=2599, hs_code="691200", origin_country="PT")
TEE = DeclaredGoods(description="T-shirt", quantity=1, value=1999, origin_country="IN")
MORE = (ParcelToShip(weight_g=700),)


def declaring(*goods: DeclaredGoods, currency: str = "USD") -> LabelRequest:
    return msgspec.structs.replace(LABEL, declaration=Declaration(currency=currency, goods=goods))


def test_goods_are_declared_by_line_with_their_value_and_share_of_the_weight() -> None:
    info = customs_info(declaring(MUGS, TEE))
    assert isinstance(info, dict)
    assert (info["eel_pfc"], info["customs_signer"]) == ("NOEEI 30.37(a)", "Dock 4")
    assert info["customs_items"] == [
        {
            "description": "Mug", "quantity": 3, "value": "25.99", "currency": "USD", "weight": Decimal("32.8"),
            "hs_tariff_number": "691200", "origin_country": "PT",
        },
        {
            "description": "T-shirt", "quantity": 1, "value": "19.99", "currency": "USD", "weight": Decimal("10.9"),
            "hs_tariff_number": None, "origin_country": "IN",
        },
    ]  # fmt: skip
    assert Decimal("32.8") + Decimal("10.9") <= Decimal(1240) / Decimal("28.349523125")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (declaring(msgspec.structs.replace(TEE, origin_country=None)), "where T-shirt was made"),
        (declaring(msgspec.structs.replace(TEE, value=250_001)), "need an export filing"),
        (declaring(*(msgspec.structs.replace(MUGS, value=125_001),) * 2), "need an export filing"),
        (declaring(TEE, currency="EUR"), "declared in USD, not in EUR"),
    ],
)
async def test_what_cannot_be_declared_is_not_bought(
    sim: EasyPostSimulator, context: Context[Settings], wanted: LabelRequest, said: str
) -> None:
    outcome = await client.buy_label(context, wanted)
    assert isinstance(outcome, NeedsPerson)
    assert said in outcome.reason
    assert sim.calls.total() == 0


async def test_boxes_of_one_shipment_are_one_export(sim: EasyPostSimulator, context: Context[Settings]) -> None:
    half = msgspec.structs.replace(MUGS, value=125_001)
    wanted = declaring(half, half)
    boxed = msgspec.structs.replace(
        wanted,
        parcel=msgspec.structs.replace(wanted.parcel, goods=(half,)),
        more_parcels=(msgspec.structs.replace(wanted.parcel, goods=(half,)),),
    )
    outcome = await client.buy_label(context, boxed)
    assert isinstance(outcome, NeedsPerson)
    assert "need an export filing" in outcome.reason
    assert sim.calls.total() == 0


async def test_a_declared_parcel_is_bought(sim: EasyPostSimulator, context: Context[Settings]) -> None:
    assert isinstance(await client.buy_label(context, declaring(MUGS, TEE)), Done)
    assert sim.labels_bought == {LABEL.key: 1}
