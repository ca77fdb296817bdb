"""Orders and shipments of any length: read on their own, page of lines after page of lines, and put together."""

from typing import Final

import msgspec

from adapters.shiphero.answers import read
from adapters.shiphero.operations import ORDER_LINES, SHIPMENT, Operation
from adapters.shiphero.requests import graphql
from adapters.shiphero.schemas import Answer, Edges, RawResult, WholeOrder, WholeShipment
from adapters.shiphero.settings import Settings
from hub.sdk.capabilities import Context

_order: Final = msgspec.json.Decoder(Answer[WholeOrder])
_shipment: Final = msgspec.json.Decoder(Answer[WholeShipment])


class Lines(msgspec.Struct, frozen=True):
    """The lines of an object, each as it came."""

    line_items: Edges[msgspec.Raw] = Edges()


async def whole_order(context: Context[Settings], identity: str) -> msgspec.Raw | None:
    """An order with all its lines; None when ShipHero shows none."""
    return await _whole(context, ORDER_LINES, identity)


async def whole_shipment(context: Context[Settings], identity: str) -> msgspec.Raw | None:
    """A shipment with all its lines; None when ShipHero shows none."""
    return await _whole(context, SHIPMENT, identity)


async def _whole(context: Context[Settings], operation: Operation, identity: str) -> msgspec.Raw | None:
    found = await _page(context, operation, identity, None)
    if found is None:
        return None
    seen = msgspec.json.decode(found, type=Lines).line_items
    if seen.whole:
        return found
    edges = list(seen.edges)
    while not seen.whole and seen.page_info.end_cursor:
        page = await _page(context, operation, identity, seen.page_info.end_cursor)
        if page is None:
            return None
        seen = msgspec.json.decode(page, type=Lines).line_items
        edges += seen.edges
    fields = msgspec.json.decode(found, type=dict[str, msgspec.Raw])
    together = {"pageInfo": seen.page_info, "edges": edges}
    return msgspec.Raw(msgspec.json.encode({**fields, "line_items": together}))


async def _page(
    context: Context[Settings], operation: Operation, identity: str, after: str | None
) -> msgspec.Raw | None:
    variables = {"id": identity, "after": after}
    response = await context.client.send(graphql(operation, variables, context.settings))
    found: RawResult | None
    if operation is SHIPMENT:
        found = read(response, _shipment, write=False, now=context.now()).shipment
    else:
        found = read(response, _order, write=False, now=context.now()).order
    return found.data if found is not None and found.found else None
