"""The catalogue: items that are kept in stock, told where they changed.

API v2.0 shows no weight, no customs data and no units but the base one; variants (`itemVariants`) are no items of their
own there, and have neither price nor cost.
"""

from collections.abc import AsyncIterator

from adapters.business_central.client import BusinessCentral
from adapters.business_central.schemas import CompanyInformation, StockItem
from adapters.business_central.settings import Settings
from adapters.business_central.stock import INVENTORY, iso
from hub.domain.facts import ItemReported
from hub.sdk.capabilities import Context, Page
from hub.sdk.item_reads import Part, Reading, begin, item_pages, stated


async def pull_items(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Items that changed since the last read, blocked ones among them."""
    reading = begin(cursor)
    async for page in item_pages(_parts(BusinessCentral(context), reading), reading, context.now()):
        yield page


async def _parts(central: BusinessCentral, reading: Reading) -> AsyncIterator[Part]:
    """Page by page; the server's own place in the list ends with its link, so a read that is cut short begins again."""
    companies = await central.rows(CompanyInformation, "")
    currency = companies[0].currency_code if companies else ""
    dated = "" if reading.since is None else f" and lastModifiedDateTime ge {iso(reading.since)}"
    async for items in central.pages(StockItem, INVENTORY + dated):
        yield Part({one.id: reported(one, currency) for one in items})


def reported(one: StockItem, currency: str) -> ItemReported:
    """An item in the hub's words. A price or cost of zero is what Business Central shows where nobody stated one."""
    return ItemReported(
        at=one.last_modified_date_time,
        sku=one.number,
        active=not one.blocked,
        title=one.display_name or None,
        barcodes=(one.gtin,) if one.gtin else (),
        base_unit=one.base_unit_of_measure_code or None,
        unit_cost=stated(one.unit_cost, currency),
        price=stated(one.unit_price, currency),
    )
