"""Items and customers that documents refer to: found, or made."""

from collections.abc import Sequence
from typing import Final

from adapters.business_central.amounts import ITEM, BookedLine
from adapters.business_central.client import BusinessCentral
from adapters.business_central.schemas import Customer, Item
from adapters.business_central.translate import customer_values, equals, mailbox
from hub.domain.contact import Contact
from hub.sdk.outcomes import blocked

AT_ONCE: Final = 50
"""Items asked for in one call: a filter is part of the address, which has a length."""


async def ensure_items(central: BusinessCentral, lines: Sequence[BookedLine]) -> None:
    """Raise NeedsPerson naming the items that are missing.

    They are not created: an item without its posting groups and unit can be ordered and never posted.
    """
    wanted = sorted({line.number for line in lines if line.kind == ITEM})
    known: set[str] = set()
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        known |= {item.number.upper() for item in await central.rows(Item, equals("number", part))}
    missing = [number for number in wanted if number.upper() not in known]
    if missing:
        raise blocked(
            f"Business Central has no item {', '.join(missing)}",
            "create them there with the SKU as number, then send it again",
        )


async def ensure_customer(central: BusinessCentral, contact: Contact) -> str:
    """Number of the customer to book on: the configured one, else the one with the e-mail address, else a new one.

    Two first orders of one buyer at the same moment may make two customers; the lower number is used from then on.
    """
    settings = central.settings
    if settings.customer_number is not None:
        return settings.customer_number
    email = mailbox(contact)
    terms = equals("email", [email]) if email else equals("number", [settings.web_customer])
    found = await central.rows(Customer, terms)
    if not found:
        # Nobody without an address is told apart, so nothing of such a buyer is written down.
        values = customer_values(contact) if email else customer_values(Contact(), settings.web_customer)
        await central.create("customers", values)
        found = await central.rows(Customer, terms)
    if not found:
        raise blocked("Business Central made a customer and does not show it", "check the app's permission sets")
    return min(customer.number for customer in found)
