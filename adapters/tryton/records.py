"""Products, parties and accounts that documents refer to: found, or made."""

from collections.abc import Iterable, Sequence

from adapters.tryton.client import Domain, Tryton, Values
from adapters.tryton.schemas import Country, Currency, Journal, Ledger, Party, Product, Warehouse
from adapters.tryton.translate import BookedLine, mailbox, party_values
from hub.domain.contact import Contact
from hub.sdk.outcomes import blocked
from hub.sdk.posting import PostingRequest


async def find_products(tryton: Tryton, lines: Sequence[BookedLine]) -> dict[str, Product]:
    """Products by SKU. Raises NeedsPerson naming SKUs that are missing or stand for several: Tryton allows that."""
    wanted = sorted({line.sku for line in lines if line.sku is not None})
    found: dict[str, Product] = {}
    for product in await tryton.rows(Product, [["code", "in", wanted]], limit=10 * len(wanted) + 1):
        if product.code is None:
            continue
        if found.setdefault(product.code, product) is not product:
            raise blocked(f"SKU {product.code} is the code of several products in Tryton", "rename all but one there")
    missing = [sku for sku in wanted if sku not in found]
    if missing:
        raise blocked(
            f"Tryton has no product with the code {', '.join(missing)}", "create them there, then send it again"
        )
    return found


async def find_accounts(tryton: Tryton, codes: Iterable[str]) -> dict[str, int]:
    """Accounts by code, the receivable one included. Raises NeedsPerson naming those that the chart lacks."""
    wanted = sorted({*codes, tryton.settings.receivable_account})
    terms: Domain = [["code", "in", wanted], ["company", "=", tryton.settings.company_id]]
    found = {str(one.code): one.id for one in await tryton.rows(Ledger, terms, limit=10 * len(wanted))}
    missing = [code for code in wanted if code not in found]
    if missing:
        raise blocked(
            f"Tryton's chart of accounts has no {', '.join(missing)}", "correct the connection's account codes"
        )
    return found


async def ensure_party(tryton: Tryton, customer: Contact) -> Party:
    """The party to book on: the configured one, else the oldest with the customer's e-mail, else a new one.

    Two first orders of one customer at the same moment may make two parties; the older one is used from then on.
    """
    settings = tryton.settings
    if settings.party_id is not None:
        return (await tryton.read_rows(Party, [settings.party_id]))[0]
    email = mailbox(customer)
    terms: Domain = [["name", "=", settings.web_customer]]
    if email is not None:
        terms = [["contact_mechanisms.value", "=", email]]
    found = await tryton.rows(Party, terms, limit=1)
    if found:
        return found[0]
    # Nobody without an address is told apart, so nothing of such a customer is written down.
    values = party_values(Contact(name=settings.web_customer), None)
    if email is not None:
        values = party_values(customer, await _country(tryton, customer))
    made = await tryton.create(Party.model, values)
    return (await tryton.read_rows(Party, [made]))[0]


async def _country(tryton: Tryton, customer: Contact) -> int | None:
    """Id of the country; None where Tryton's list of countries was not loaded: it starts empty."""
    if customer.country is None:
        return None
    found = await tryton.rows(Country, [["code", "=", customer.country]], limit=1)
    return found[0].id if found else None


async def sale_head(tryton: Tryton, request: PostingRequest, party: Party) -> Values:
    """Who buys, in which currency, from which warehouse."""
    settings = tryton.settings
    warehouse = settings.warehouse_id
    if warehouse is None:
        found = await tryton.rows(Warehouse, [["type", "=", "warehouse"]], limit=2)
        if len(found) != 1:
            raise blocked(f"Tryton has {len(found)} warehouses or more", "name one in the connection's warehouse_id")
        warehouse = found[0].id
    address = _address(party)
    return {
        "company": settings.company_id,
        "party": party.id,
        "currency": await _currency(tryton, request.currency),
        "warehouse": warehouse,
        "invoice_address": address,
        "shipment_address": address,
    }


async def invoice_head(tryton: Tryton, request: PostingRequest, party: Party, accounts: dict[str, int]) -> Values:
    """Who owes, in which currency, on which account and in which journal."""
    journals = await tryton.rows(Journal, [["type", "=", "revenue"]], limit=1)
    if not journals:
        raise blocked("Tryton has no revenue journal", "create one there, then send it again")
    return {
        "company": tryton.settings.company_id,
        "party": party.id,
        "currency": await _currency(tryton, request.currency),
        "invoice_address": _address(party),
        "account": accounts[tryton.settings.receivable_account],
        "journal": journals[0].id,
    }


def _address(party: Party) -> int:
    if not party.addresses:
        raise blocked(f"party {party.id} has no address in Tryton", "give it one there, then send it again")
    return party.addresses[0]


async def _currency(tryton: Tryton, code: str) -> int:
    found = await tryton.rows(Currency, [["code", "=", code]], limit=1)
    if not found:
        raise blocked(f"Tryton has no currency {code}", "create it there with its rate, then send it again")
    return found[0].id
