"""Orders of companies: who buys, under which number, on which terms."""

from collections.abc import Callable

from adapters.magento.simulator import MagentoSimulator
from hub.domain.order import OrderSnapshot

Read = Callable[..., OrderSnapshot]


def test_a_purchase_order_is_on_account_under_the_companys_own_number(books: MagentoSimulator, read: Read) -> None:
    books.sell("MUG", quantity=9)
    order = books.place_order([("MUG", 1)])
    payment = {"method": "purchaseorder", "po_number": "PO 4711"}
    extension = {"company_order_attributes": {"company_id": 7, "company_name": "Acme"}}
    snapshot = read(order, payment=payment, extension_attributes=extension)
    content = snapshot.content
    assert (content.company, content.purchase_order, content.terms) == ("7", "PO 4711", "purchase order")
    assert content.on_account


def test_a_person_who_pays_at_once_has_none_of_it(books: MagentoSimulator, read: Read) -> None:
    books.sell("MUG", quantity=9)
    content = read(books.place_order([("MUG", 1)])).content
    assert (content.company, content.purchase_order, content.terms, content.on_account) == (None, None, None, False)
