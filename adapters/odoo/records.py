"""Products and contacts that documents refer to: found, or made."""

from collections.abc import Iterable, Mapping, Sequence

from adapters.odoo.amounts import BookedLine
from adapters.odoo.client import Odoo
from adapters.odoo.schemas import Country, Many2one, Partner, Product
from adapters.odoo.translate import Values, mailbox, named_products, partner_values, product_values
from hub.domain.contact import Contact
from hub.sdk.outcomes import blocked


async def find_products(odoo: Odoo, skus: Iterable[str], seen: Iterable[Many2one] = ()) -> dict[str, int]:
    """Product ids by SKU; unknown SKUs are left out.

    Products that came with other records (`seen`) tell their SKU themselves and are not asked for again.
    Raises NeedsPerson when a SKU is the internal reference of several products: Odoo allows that.
    """
    wanted = set(skus)
    found = named_products(wanted, seen)
    asked = sorted(wanted - found.keys())
    if not asked:
        return found
    for product in await odoo.rows(Product, [["default_code", "in", asked]], limit=10 * len(asked)):
        sku = str(product.default_code)
        if found.setdefault(sku, product.id) != product.id:
            raise blocked(
                f"SKU {sku} is the internal reference of several products in Odoo",
                "archive or rename all but one, then send it again",
            )
    return found


async def ensure_products(odoo: Odoo, lines: Sequence[BookedLine], seen: Iterable[Many2one] = ()) -> dict[str, int]:
    """Product ids by SKU for all lines. Raises NeedsPerson naming what is missing, unless it may be created."""
    found = await find_products(odoo, (line.sku for line in lines), seen)
    missing: Mapping[str, Values] = {
        line.sku: product_values(line.sku, line.title, line.stocked) for line in lines if line.sku not in found
    }
    if not missing:
        return found
    if not odoo.settings.create_products:
        raise blocked(
            f"Odoo has no product with the internal reference {', '.join(sorted(missing))}",
            "create them in Odoo or allow create_products in the connection, then send it again",
        )
    made = await odoo.create("product.product", list(missing.values()))
    return {**found, **dict(zip(missing, made, strict=True))}


async def ensure_partner(odoo: Odoo, customer: Contact) -> int:
    """The contact to book on: the configured one, else the oldest with the customer's e-mail, else a new one.

    Two first orders of one customer at the same moment may make two contacts; the older one is used from then on.
    """
    settings = odoo.settings
    if settings.partner_id is not None:
        return settings.partner_id
    email = mailbox(customer)
    if email is None:
        found = await odoo.rows(Partner, [["ref", "=", settings.web_customer]], limit=1)
        values: Values = {"name": "Web customer", "ref": settings.web_customer}
    else:
        found = await odoo.rows(Partner, [["email_normalized", "=", email]], limit=1)
        values = {}
    if found:
        return found[0].id
    if email is not None:
        values = partner_values(customer, await find_country(odoo, customer))
    (made,) = await odoo.create("res.partner", [values])
    return made


async def find_country(odoo: Odoo, customer: Contact) -> int | None:
    """Id of the customer's country. Raises NeedsPerson for one that Odoo does not know: taxes hang on it."""
    if customer.country is None:
        return None
    found = await odoo.rows(Country, [["code", "=", customer.country]], limit=1)
    if not found:
        raise blocked(f"Odoo has no country {customer.country!r}", "correct the country of the customer's address")
    return found[0].id
