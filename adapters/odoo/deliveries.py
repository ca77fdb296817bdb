"""Deliveries where the same Odoo keeps the books and the warehouse: its own transfers are the deliveries.

A sale order that is confirmed makes a transfer of its own, and the goods would leave twice. So with warehouses in the
settings it is confirmed without (`skip_procurement`), and a delivery is posted by tying what the warehouse shipped to
the order's lines, which is how Odoo counts them as delivered.
"""

from typing import Final

from adapters.odoo.client import Odoo
from adapters.odoo.marks import read_mark
from adapters.odoo.schemas import SaleOrderLine, record_id
from adapters.odoo.translate import order_terms
from adapters.odoo.warehouse_rows import Move
from hub.sdk.outcomes import Done
from hub.sdk.posting import PostingRequest

MOST: Final = 1000


async def tie_delivery(odoo: Odoo, request: PostingRequest) -> Done:
    """Tie everything of the order that has left and is not tied yet. What other nodes shipped is not in this Odoo."""
    shipped = f"{request.order}-%"
    left: list[list[object]] = [
        ["picking_id.origin", "=like", shipped],
        ["state", "=", "done"],
        ["picking_id.return_id", "=", False],
    ]
    moves = await odoo.every(Move, [*left, ["sale_line_id", "=", False]], limit=MOST)
    if not moves:
        return Done(found=True)
    ordered = await odoo.every(SaleOrderLine, order_terms(request, "order_id"), limit=MOST)
    lines = {record_id(line.product_id): line.id for line in reversed(ordered)}
    for move in moves:
        read = read_mark(move.origin)
        # A component of a kit belongs to the line of the kit.
        line = lines.get(read[1].product if read is not None else record_id(move.product_id))
        if line is not None:
            await odoo.write("stock.move", move.id, {"sale_line_id": line})
    return Done()
