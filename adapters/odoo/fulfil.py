"""Hand a fulfilment order to a warehouse of Odoo's, and take it back.

Odoo has no idempotency key and a transfer takes several calls. So each operation looks first, always, and goes on from
what it finds: whichever call's reply was lost, the repeat ends in one transfer.
"""

from collections.abc import Sequence
from typing import Final

from adapters.odoo.answers import refusal
from adapters.odoo.client import Odoo
from adapters.odoo.facts import Lot, Snapshot, progress
from adapters.odoo.marks import Asked, asked_for
from adapters.odoo.records import find_country, find_products
from adapters.odoo.schemas import Partner, display, record_id
from adapters.odoo.settings import Settings
from adapters.odoo.transfers import (
    CANCELLED,
    DONE,
    DRAFT,
    ENDED,
    Place,
    address_reference,
    address_values,
    cut_values,
    read_submit,
    reserved,
    the_first,
    transfer_values,
    usable,
)
from adapters.odoo.warehouse_rows import Location, Move, MoveLine, Region, Transfer, Warehouse
from hub.domain.contact import Contact
from hub.domain.facts import CancelConfirmed
from hub.sdk.capabilities import Context, FulfilmentCancel, FulfilmentRequest
from hub.sdk.outcomes import Done, Interrupted, Outcome, Refused, blocked

MOST_TRANSFERS: Final = 200
MOST_MOVES: Final = 2000
"""Of one fulfilment order, backorders and all."""


# --- submit ----------------------------------------------------------------------------------------------------------


async def submit_fulfilment(context: Context[Settings], request: FulfilmentRequest, /) -> Outcome:
    """Make the transfer, confirm it, have Odoo reserve it, and tell what it could not.

    Done names the transfer. What Odoo has not is told short and taken out of the transfer, or Refused where it has
    nothing; with `wait_for_stock` it stays in, and the transfer is not accepted before all of it is reserved.
    """
    odoo = Odoo(context)
    transfer = the_first(await transfers_of(odoo, request.fulfilment), request.fulfilment)
    found = transfer is not None and transfer.state != DRAFT
    if transfer is None:
        transfer = await _create(odoo, request)
    moves: Sequence[Move] = ()
    if transfer.state not in ENDED:
        if transfer.state == DRAFT:
            await odoo.act("stock.picking", "action_confirm", transfer.id)
        moves = await _reserve(odoo, request, transfer)
        if not odoo.settings.wait_for_stock and not all(move.state in ENDED for move in moves):
            moves = await _cut(odoo, request, transfer, moves)
        if any(move.state in ENDED for move in moves):
            transfer = await _again(odoo, request)
    return read_submit(request, transfer, moves or await _moves(odoo, transfer), context.now(), found=found)


async def _create(odoo: Odoo, request: FulfilmentRequest) -> Transfer:
    place = await _place(odoo, request)
    products = await find_products(odoo, {line.sku for line in request.lines})
    missing = sorted({line.sku for line in request.lines} - products.keys())
    if missing:
        raise blocked(
            f"{request.fulfilment}: Odoo has no product with the internal reference {', '.join(missing)}",
            "create them in Odoo, then send it again",
        )
    asked = asked_for(request.lines, products)
    partner = await _address(odoo, request.ship_to)
    names = await _names(odoo, request, asked)
    values = transfer_values(request, asked, place, partner, odoo.settings, names=names)
    await odoo.create("stock.picking", [values])
    return await _again(odoo, request)


async def _place(odoo: Odoo, request: FulfilmentRequest) -> Place:
    code = request.location
    if code is None or code not in odoo.settings.warehouses:
        raise blocked(
            f"{request.fulfilment}: {code!r} is not a warehouse of this connection",
            "name its short name in the connection's warehouses, and as the node's external location",
        )
    warehouse = await find_warehouse(odoo, code)
    customers = await odoo.rows(Location, [["usage", "=", "customer"]], limit=1)
    if not customers:
        raise blocked("Odoo has no location of goods that customers have", "restore the location Partners/Customers")
    return Place(warehouse=warehouse, customers=customers[0].id)


async def find_warehouse(odoo: Odoo, code: str) -> Warehouse:
    """A warehouse by its short name. Raises NeedsPerson when it cannot be worked for the hub."""
    company = odoo.settings.company_id
    terms: list[list[object]] = [["code", "=", code]]
    if company is not None:
        terms.append(["company_id", "=", company])
    return usable(await odoo.rows(Warehouse, terms, limit=2), code)


async def _names(odoo: Odoo, request: FulfilmentRequest, asked: Sequence[Asked]) -> dict[int, str] | None:
    """What to call the moves, where this version wants them called something: up to 18, spoken to by JSON-RPC."""
    if not odoo.rpc or not await odoo.fields("stock.move", ["name"]):
        return None
    titles = {line.line: line.title or line.sku for line in request.lines}
    return {one.product: titles[one.lines[0][0]] for one in asked}


async def _address(odoo: Odoo, contact: Contact) -> int:
    """The delivery address: found by what is in it, or made."""
    found = await odoo.rows(Partner, [["ref", "=", address_reference(contact)]], limit=1)
    if found:
        return found[0].id
    country = await find_country(odoo, contact)
    region = None
    if country is not None and contact.region:
        terms: list[list[object]] = [["code", "=", contact.region], ["country_id", "=", country]]
        region = next((row.id for row in await odoo.rows(Region, terms, limit=1)), None)
    (made,) = await odoo.create("res.partner", [address_values(contact, country, region)])
    return made


async def _reserve(odoo: Odoo, request: FulfilmentRequest, transfer: Transfer) -> Sequence[Move]:
    """Have Odoo reserve what it has not yet. Its answer says nothing: what is reserved is read from the moves."""
    moves = await _moves(odoo, transfer)
    if not reserved(request.fulfilment, moves).short:
        return moves
    try:
        await odoo.act("stock.picking", "action_assign", transfer.id)
    except Interrupted as interrupted:
        # "Nothing to check the availability for" is said, too, when somebody shipped or cancelled it at this moment.
        moves = await _moves(odoo, transfer)
        if not refusal(interrupted) or reserved(request.fulfilment, moves).short:
            raise
        return moves
    return await _moves(odoo, transfer)


async def _cut(odoo: Odoo, request: FulfilmentRequest, transfer: Transfer, moves: Sequence[Move]) -> Sequence[Move]:
    """Take out of the transfer what is not there, or Odoo would send it whenever it comes: by then others have."""
    there = reserved(request.fulfilment, moves)
    if there.short:
        await odoo.write("stock.picking", transfer.id, cut_values(request.fulfilment, there))
        moves = await _moves(odoo, transfer)
        there = reserved(request.fulfilment, moves)
    if there.nothing:
        await odoo.act("stock.picking", "action_cancel", transfer.id)
        moves = await _moves(odoo, transfer)
    return moves


async def transfers_of(odoo: Odoo, fulfilment: str) -> list[Transfer]:
    """The transfers of a fulfilment order: ours, and the backorders split off it."""
    return await odoo.every(Transfer, [["origin", "=", fulfilment]], limit=MOST_TRANSFERS)


async def _moves(odoo: Odoo, transfer: Transfer) -> list[Move]:
    return await odoo.every(Move, [["picking_id", "=", transfer.id]], limit=MOST_MOVES)


async def _again(odoo: Odoo, request: FulfilmentRequest) -> Transfer:
    """Read it back by our key, which also shows a second one that a slow earlier try made after all."""
    transfer = the_first(await transfers_of(odoo, request.fulfilment), request.fulfilment)
    if transfer is None:
        raise blocked(
            f"{request.fulfilment}: the transfer was made and cannot be seen in Odoo",
            "let the API key's user see the transfers of this warehouse, then send it again",
        )
    return transfer


# --- cancel ----------------------------------------------------------------------------------------------------------


async def cancel_fulfilment(context: Context[Settings], request: FulfilmentCancel, /) -> Outcome:
    """Cancel what has not left. Refused when everything has; what left before is told along with the rest's end."""
    odoo = Odoo(context)
    before = await transfers_of(odoo, request.fulfilment)
    if not before:
        raise blocked(
            f"{request.fulfilment}: Odoo has no transfer of it, so nothing can be cancelled",
            "see whether it was submitted at all, or whether its source document was changed in Odoo",
        )
    living = [one for one in before if one.state not in ENDED]
    for transfer in living:
        try:
            await odoo.act("stock.picking", "action_cancel", transfer.id)
        except Interrupted as interrupted:
            # It may have left just now; then Odoo says no, and its state says why.
            if not refusal(interrupted) or await _living(odoo, transfer):
                raise
    return await _ended(odoo, request, found=not living)


async def _living(odoo: Odoo, transfer: Transfer) -> bool:
    found = await odoo.rows(Transfer, [["id", "=", transfer.id]], limit=1)
    return any(one.state not in ENDED for one in found)


async def _ended(odoo: Odoo, request: FulfilmentCancel, *, found: bool) -> Outcome:
    after = await transfers_of(odoo, request.fulfilment)
    open_yet = [one.name for one in after if one.state not in ENDED]
    if open_yet:
        raise blocked(
            f"{request.fulfilment}: Odoo took the cancel and did not do it: {', '.join(open_yet)}",
            "cancel it in Odoo, then send it again",
        )
    if not any(one.state == CANCELLED for one in after):
        names = ", ".join(one.name for one in after)
        return Refused(reason=f"{request.fulfilment}: {names} left already, which only a return can undo")
    gone = any(one.state == DONE for one in after)
    shipped = progress(await snapshot(odoo, request.fulfilment, after)) if gone else ()
    confirmed = CancelConfirmed(at=odoo.now(), fulfilment=request.fulfilment)
    return Done(facts=(*shipped, confirmed), found=found)


async def snapshot(odoo: Odoo, fulfilment: str, transfers: Sequence[Transfer]) -> Snapshot:
    """All that Odoo says of a fulfilment order, as it is stored."""
    terms: list[list[object]] = [["picking_id", "in", [one.id for one in transfers]]]
    moves = await odoo.every(Move, terms, limit=MOST_MOVES)
    lots = await lots_of(odoo, moves)
    return Snapshot(fulfilment=fulfilment, transfers=tuple(transfers), moves=tuple(moves), lots=lots)


async def lots_of(odoo: Odoo, moves: Sequence[Move]) -> tuple[Lot, ...]:
    """Which lots left with moves; nothing is asked while none has left."""
    left = [move.id for move in moves if move.state == DONE]
    if not left:
        return ()
    terms: list[list[object]] = [["move_id", "in", left], ["lot_id", "!=", False]]
    lines = await odoo.every(MoveLine, terms, limit=10 * MOST_MOVES)
    named = ((record_id(line.move_id), display(line.lot_id), line.quantity_product_uom) for line in lines)
    return tuple(
        Lot(move=move, lot=lot, quantity=units) for move, lot, units in named if move is not None and lot is not None
    )
