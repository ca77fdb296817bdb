"""Sale orders and their customers: one of each, or a reason that a person can act on."""

import msgspec

from adapters.odoo.simulated import orders
from adapters.odoo.simulated.books import user_error
from adapters.odoo.tests.shop import ORDER, SALE, Shop, part, sell
from hub.domain.contact import Contact
from hub.domain.posting import DocumentKind
from hub.sdk.outcomes import Done
from hub.sdk.posting import PostingLine, PostingRequest
from hub.sdk.testkit.samples import POSTING
from hub.sdk.wire import Request


async def test_two_orders_under_one_reference_are_named(shop: Shop) -> None:
    sell(shop.odoo)
    sell(shop.odoo)
    outcome = await shop.blocked(SALE)
    assert "S00001, S00002" in outcome.reason
    assert {order["state"] for order in shop.odoo.sale_orders.values()} == {"draft"}


async def test_an_order_that_a_slow_earlier_try_made_after_all_is_not_confirmed_twice(shop: Shop) -> None:
    def late(request: Request) -> None:
        if request.operation == "sale.order.create":
            sell(shop.odoo)

    outcome = await shop.blocked(SALE, late)
    assert "2 times: S00001, S00002" in outcome.reason
    assert shop.odoo.posted(ORDER).confirmed == 0


async def test_a_duplicate_that_was_cancelled_does_not_count(shop: Shop) -> None:
    await shop.done(SALE)
    orders.cancel(shop.odoo.books, "sale.order", [sell(shop.odoo)], {})
    assert (await shop.done(SALE)).found


async def test_an_order_that_was_cancelled_in_odoo_is_not_booked_again(shop: Shop) -> None:
    await shop.done(SALE)
    orders.cancel(shop.odoo.books, "sale.order", [1], {})
    outcome = await shop.blocked(SALE)
    assert "cancelled" in outcome.reason
    assert len(shop.odoo.sale_orders) == 1


async def test_a_total_that_differs_names_both_and_confirms_nothing(shop: Shop) -> None:
    sell(shop.odoo, price="54.99")
    outcome = await shop.blocked(SALE)
    assert "55.00 USD" in outcome.reason
    assert "54.99" in outcome.reason
    assert shop.odoo.posted(ORDER).confirmed == 0


async def test_a_draft_that_was_corrected_is_confirmed(shop: Shop) -> None:
    sell(shop.odoo, price="55.00")
    outcome = await shop.done(SALE)
    assert not outcome.found
    assert shop.odoo.posted(ORDER).confirmed == 1


async def test_an_order_confirmed_meanwhile_by_somebody_else_is_done(shop: Shop) -> None:
    def confirm(request: Request) -> None:
        if request.operation == "sale.order.action_confirm":
            orders.confirm(shop.odoo.books, "sale.order", [1], {})

    assert isinstance(await shop.post(SALE, confirm), Done)
    assert shop.odoo.posted(ORDER).deliveries == 0
    assert len(shop.odoo.pickings) == 1


async def test_a_refused_confirmation_needs_a_person(shop: Shop) -> None:
    shop.odoo.refuse["sale.order.action_confirm"] = user_error("The credit limit is exceeded.")
    outcome = await shop.blocked(SALE)
    assert "credit limit" in outcome.reason
    del shop.odoo.refuse["sale.order.action_confirm"]
    await shop.done(SALE)
    assert shop.odoo.posted(ORDER).orders == 1


async def test_products_that_odoo_does_not_know_are_named(shop: Shop) -> None:
    shop.set(create_products=False)
    outcome = await shop.blocked(SALE)
    assert "SALES-TAX, SHIPPING" in outcome.reason
    assert not shop.odoo.sale_orders


async def test_a_sku_of_two_products_is_named(shop: Shop) -> None:
    shop.odoo.add_product("TEE-M", "Another T-shirt")
    outcome = await shop.blocked(SALE)
    assert "SKU TEE-M" in outcome.reason


async def test_unknown_goods_are_created_as_goods(shop: Shop) -> None:
    line = PostingLine(line="9", sku="HAT", title="Hat", quantity=1, amount=100)
    await shop.done(part(DocumentKind.ORDER, 1, line, shipping=50))
    made = {record["default_code"]: record for record in shop.odoo.products.values()}
    assert (made["HAT"]["type"], made["HAT"]["name"]) == ("consu", "Hat")
    assert made["SHIPPING"]["type"] == "service"


async def test_another_currency_takes_its_price_list(shop: Shop) -> None:
    euros = msgspec.structs.replace(SALE, currency="EUR")
    outcome = await shop.blocked(euros)
    assert "pricelists" in outcome.next_step
    shop.set(pricelists={"EUR": shop.odoo.books.add_pricelist("EUR")})
    second = msgspec.structs.replace(euros, order="01KF0X5B3GCDEFGHJKMP")
    await shop.done(second, msgspec.structs.replace(second, kind=DocumentKind.DELIVERY, shipment="1"))
    await shop.done(msgspec.structs.replace(second, kind=DocumentKind.INVOICE, shipment="1"))
    (invoice,) = shop.odoo.invoices.values()
    assert shop.odoo.books.display("res.currency", invoice["currency_id"]) == "EUR"


# --- the customer -------------------------------------------------------------------------------------------------


def other(order: str, **customer: object) -> PostingRequest:
    contact = msgspec.structs.replace(POSTING.customer, **customer)
    return msgspec.structs.replace(SALE, order=order, customer=contact)


async def test_one_contact_per_customer(shop: Shop) -> None:
    await shop.done(SALE, other("01KF0X5B3GCDEFGHJKMQ", email=" Zoe.Quimby@Example.com "))
    _, customer = shop.odoo.partners.values()
    assert customer["name"] == "Fjord & Sons"
    assert customer["email"] == "zoe.quimby@example.com"
    assert customer["street2"] == "Floor 5"
    assert shop.odoo.books.display("res.country", customer["country_id"]) == "US"
    assert customer["phone"] is None


async def test_customers_without_an_address_share_a_contact(shop: Shop) -> None:
    nobody = Contact(country="US")
    for order in (ORDER, "01KF0X5B3GCDEFGHJKMQ"):
        await shop.done(msgspec.structs.replace(SALE, order=order, customer=nobody))
    _, customer = shop.odoo.partners.values()
    assert (customer["name"], customer["ref"]) == ("Web customer", "WEB-CUSTOMER")


async def test_with_a_contact_of_its_own_no_person_leaves_the_hub(shop: Shop) -> None:
    shop.set(partner_id=1)
    told: list[bytes] = []

    def listen(request: Request) -> None:
        told.append(request.body or b"")

    assert isinstance(await shop.post(SALE, listen), Done)
    assert len(shop.odoo.partners) == 1
    assert b"quimby" not in b"".join(told).lower()


async def test_a_country_that_odoo_does_not_know_needs_a_person(shop: Shop) -> None:
    outcome = await shop.blocked(other(ORDER, country="XX"))
    assert "'XX'" in outcome.reason
