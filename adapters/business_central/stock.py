"""What is read of Business Central: levels of items, and whether our subscriptions still live."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import unquote

import msgspec

from adapters.business_central.answers import Changed
from adapters.business_central.client import BusinessCentral
from adapters.business_central.schemas import Item, Levels, Notifications
from adapters.business_central.settings import Settings, company_path
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.outcomes import Interrupted, RetryLater

LEVELS: Final = "inventory_level"
INVENTORY: Final = "type eq 'Inventory'"
RENEW_BEFORE: Final = timedelta(days=2)
"""A subscription lives three days; looked at twice a day, each is renewed with three more looks to spare."""


async def pull_stock(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """All items, from the beginning each time: postings change `inventory` and not the item's own date of change."""
    if context.settings.stock_location is None:
        yield Page(items=(), cursor=iso(context.now()))
        return
    async for items in BusinessCentral(context).pages(Item, INVENTORY):
        pulled = _levels(context, items)
        yield Page(items=(pulled,) if items else (), cursor=iso(context.now()))


async def fetch(context: Context[Settings], topic: str, subject: str, body: bytes) -> tuple[Pulled, ...]:
    """Read the items that notifications name, or the collection where so many changed that they are not named."""
    central = BusinessCentral(context)
    items: dict[str, Item] = {}
    if context.settings.stock_location is None:
        return ()
    for one in msgspec.json.decode(body, type=Notifications).value:
        path, _, query = one.resource.partition("?")
        prefix, _, entity = path.lstrip("/").partition(")/")
        if one.change_type == "deleted" or not f"{entity}(".startswith("items("):
            continue
        # GUIDs are written in capitals or not, by whoever writes them.
        named = prefix.casefold().removeprefix("api/v2.0") + ")"
        if not company_path(context.settings).casefold().endswith(named):
            continue
        if one.change_type == "collection":
            terms = unquote(query).removeprefix("$filter=") or INVENTORY
            found = await central.rows(Item, terms)
        else:
            found = [await central.read_path(Item, f"{company_path(context.settings)}/{entity}")]
        items |= {item.number: item for item in found}
    return (_levels(context, list(items.values())),) if items else ()


async def keep_subscriptions(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Make the subscription that is missing and renew the one that ends; brings nothing.

    Business Central deletes a subscription whose address answers anything but success, 408, 429 or 5xx, so a missing
    one is no surprise. Making the same twice is refused there, and a lost reply shows at the next look.
    """
    settings = context.settings
    if settings.webhook_url is not None and settings.stock_location is not None and settings.webhook_secret:
        await _keep_one(context, settings.webhook_url, settings.webhook_secret)
    yield Page(items=(), cursor=iso(context.now()))


async def _keep_one(context: Context[Settings], address: str, secret: str) -> None:
    central = BusinessCentral(context)
    settings = context.settings
    resource = f"/api/v2.0/companies({settings.company})/items"
    values: dict[str, object] = {
        "notificationUrl": address,
        "resource": resource,
        "clientState": secret,
    }
    ours = [
        one
        for one in await central.subscriptions()
        if one.notification_url == address and one.resource.strip("/").casefold() == resource.strip("/").casefold()
    ]
    try:
        if not ours:
            await central.subscribe(values)
        for one in ours:
            ends = one.expiration_date_time
            # A time that names no offset is UTC.
            if (ends if ends.tzinfo else ends.replace(tzinfo=UTC)) - context.now() < RENEW_BEFORE:
                await central.renew(one, values)
    except Changed as changed:
        raise Interrupted(RetryLater(reason=str(changed))) from changed


def iso(moment: datetime) -> str:
    """A moment in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _levels(context: Context[Settings], items: Sequence[Item]) -> Pulled:
    now = context.now()
    levels = Levels(as_of=now, location=context.settings.stock_location or "", items=tuple(items))
    body = msgspec.json.encode(levels)
    return Pulled(key=f"items:{iso(now)}:{hashlib.sha256(body).hexdigest()[:20]}", topic=LEVELS, object=None, body=body)
