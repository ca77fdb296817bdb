"""The cast is found by scanning adapters, and every player keeps the books that the audit reads."""

from decimal import Decimal

import pytest

from hub.demo.cast import CALM, Cast, CastMissing, find_players
from hub.demo.places import SITES, customer
from hub.domain.network import NodeKind
from hub.registry import find_adapters
from hub.sdk.testkit.player import ChannelPlayer, Good, NodePlayer
from hub.sdk.testkit.simulator import Faults

MUG = Good(sku="MUG", title="Mug", price=Decimal("10.00"), weight_g=300)
TEE = Good(sku="TEE", title="Shirt", price=Decimal("20.00"), weight_g=200)


@pytest.fixture
def cast() -> Cast:
    return Cast.choose(1, calm=True)


def test_a_cast_has_three_shops_two_sorts_of_partner_a_carrier_and_books(cast: Cast) -> None:
    assert {region: shop.part.currency for region, shop in cast.channels.items()} == {
        "us": "USD",
        "eu": "EUR",
        "uk": "GBP",
    }
    assert {kind: player.node_kind for kind, player in cast.nodes.items()} == {
        NodeKind.DC: NodeKind.DC,
        NodeKind.THIRD_PARTY: NodeKind.THIRD_PARTY,
    }
    assert cast.ledger.part.currencies == ("USD", "EUR", "GBP")
    assert set(cast.adapters.values()) <= set(find_adapters())
    assert len({player.part.secret for player in cast.players}) == len(cast.players)


def test_faults_are_each_players_own(cast: Cast) -> None:
    first, second, *_ = cast.players
    first.simulator.faults.outage = True
    assert not second.simulator.faults.outage
    assert not CALM.outage
    assert Cast.choose(1, calm=False).players[0].simulator.faults != Faults()


def test_partners_speak_for_their_nodes_and_nobody_for_the_stores(cast: Cast) -> None:
    spoken = {site.code: cast.location(site.code) for site in SITES}
    stores = {site.code for site in SITES if site.kind is NodeKind.STORE}
    assert {code for code, one in spoken.items() if one is None} == stores
    named = [one for one in spoken.values() if one is not None]
    assert len({(id(player), location) for player, location in named}) == len(SITES) - len(stores)


def test_without_players_there_is_no_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.demo.cast.find_players", dict)
    with pytest.raises(CastMissing, match="a channel"):
        Cast.choose(1, calm=True)


@pytest.mark.parametrize("name", [n for n, p in find_players().items() if issubclass(p, ChannelPlayer)])
def test_a_channels_books_tell_orders_edits_and_cancels(name: str, cast: Cast) -> None:
    shop = next(p for p in cast.channels.values() if cast.adapters[p] == name)
    shop.sell([MUG, TEE])
    assert shop.published() == {"MUG": 0, "TEE": 0}
    order = shop.place([("MUG", 2), ("TEE", 1)], customer("us", "7"), {"TEE": Decimal("25.00")})
    placed = shop.orders()[order]
    assert (placed.wanted, placed.fulfilled, placed.trackings) == ({"MUG": 2, "TEE": 1}, {}, ())
    assert not placed.cancelled
    assert not placed.edited
    shop.reduce(order, "MUG", 1)
    edited = shop.orders()[order]
    assert edited.edited
    assert edited.wanted == {"MUG": 1, "TEE": 1}
    assert placed.total - edited.total >= 1000
    shop.cancel(order)
    assert shop.orders()[order].cancelled


@pytest.mark.parametrize("name", [n for n, p in find_players().items() if issubclass(p, NodePlayer)])
def test_a_partners_shelves_are_what_was_put_there(name: str, cast: Cast) -> None:
    partner = next(p for p in cast.nodes.values() if cast.adapters[p] == name)
    first, second, *_ = partner.locations
    partner.shelve(first, {"MUG": 5, "TEE": 2})
    partner.shelve(second, {"MUG": 1})
    assert partner.shelf(first) == {"MUG": 5, "TEE": 2}
    assert partner.shelf(second) == {"MUG": 1}
    assert not partner.taken()
    assert not partner.dispatched()


def test_the_ledger_has_nothing_of_an_order_it_was_not_told(cast: Cast) -> None:
    cast.ledger.know([MUG])
    booked = cast.ledger.booked("01HXXXXXXXXXXXXXXXXX", "EUR")
    assert (booked.orders, booked.ordered, booked.invoices, booked.invoiced) == (0, 0, 0, 0)
