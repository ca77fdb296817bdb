"""Publishing availability, against the simulated store over HTTP."""

from adapters.magento.availability import publish_availability
from adapters.magento.settings import Settings
from adapters.magento.shipments import confirm_shipment
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.tests.conftest import with_settings
from adapters.magento.tests.requests import confirmation, level, update
from hub.sdk.capabilities import (
    Context,
)
from hub.sdk.outcomes import Done, NeedsPerson, RetryLater, Uncertain
from hub.sdk.testkit.bench import outcome_of

Store = Context[Settings]


class TestAvailability:
    async def test_levels_are_absolute_with_their_status(self, store: MagentoSimulator, context: Store) -> None:
        assert await publish_availability(context, update(level("MUG-RED", 7), level("TEE-M", 0))) == Done()
        assert (store.source_items["MUG-RED", "default"], store.in_stock["MUG-RED", "default"]) == (7, True)
        assert (store.source_items["TEE-M", "default"], store.in_stock["TEE-M", "default"]) == (0, False)

    async def test_zero_stays_in_stock_where_the_store_backorders(
        self, store: MagentoSimulator, context: Store
    ) -> None:
        backordering = with_settings(context, zero_is_out_of_stock=False)
        await publish_availability(backordering, update(level("TEE-M", 0)))
        assert store.in_stock["TEE-M", "default"]

    async def test_calls_hold_no_more_than_the_store_takes(self, store: MagentoSimulator, context: Store) -> None:
        levels = [level(f"SKU-{number}", number) for number in range(45)]
        for one in levels:
            store.sell(one.sku)
        assert await publish_availability(context, update(*levels)) == Done()
        assert sum(1 for method, _ in store.asked if method == "POST") == 3
        assert all(store.source_items[one.sku, "default"] == one.quantity for one in levels)

    async def test_a_sku_that_is_told_first_must_exist(self, store: MagentoSimulator, context: Store) -> None:
        """The store would take it, and keep stock of nothing."""
        store.sell("TEE", kind="configurable", child="TEE-M")
        levels = (level("GHOST", 3, None), level("TEE", 3, None), level("mug-red", 4, None))
        outcome = await publish_availability(context, update(*levels))
        assert isinstance(outcome, NeedsPerson)
        assert "GHOST: the store has no such product" in outcome.reason
        assert "TEE: a configurable product has no stock of its own" in outcome.reason
        assert ("GHOST", "default") not in store.source_items
        assert store.source_items["mug-red", "default"] == 4

    async def test_one_bad_level_takes_no_other_with_it(self, store: MagentoSimulator, context: Store) -> None:
        levels = (level("MUG-RED", 7), level("TEE-M", 5, source="attic"), level("TEE-M", 6))
        outcome = await publish_availability(context, update(*levels))
        assert isinstance(outcome, NeedsPerson)
        assert 'TEE-M: attic: Validation Failed: Source with code "attic" does not exist.' in outcome.reason
        assert (store.source_items["MUG-RED", "default"], store.source_items["TEE-M", "default"]) == (7, 6)

    async def test_an_error_inside_a_200_is_not_done(self, store: MagentoSimulator, context: Store) -> None:
        store.error_inside = 1
        outcome = await outcome_of(publish_availability(context, update(level("MUG-RED", 7))))
        assert isinstance(outcome, Uncertain)
        assert "an error inside" in outcome.reason

    async def test_a_store_in_maintenance_is_told_again(self, store: MagentoSimulator, context: Store) -> None:
        store.script.append("throttle")
        outcome = await outcome_of(publish_availability(context, update(level("MUG-RED", 7))))
        assert isinstance(outcome, RetryLater)
        assert outcome.at is not None

    async def test_what_open_orders_took_is_the_stores_own_subtraction(
        self, store: MagentoSimulator, context: Store
    ) -> None:
        """Why the adapter declares OWN_OPEN_ORDERS: of 7 told, an open order of 2 leaves 5 for sale."""
        order = store.place_order([("MUG-RED", 2)])
        await publish_availability(context, update(level("MUG-RED", 7)))
        assert store.salable("MUG-RED") == 5
        await confirm_shipment(context, confirmation(order, {order.items[0].id: 2}))
        assert (store.source_items["MUG-RED", "default"], store.salable("MUG-RED")) == (5, 5)
