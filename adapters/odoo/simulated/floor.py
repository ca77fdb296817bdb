"""What people at the simulator's warehouse do, and what one sees there."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from adapters.odoo.simulated import shelves, transfers
from adapters.odoo.simulated.books import Record
from adapters.odoo.simulated.database import CUSTOMERS, STOCK, Database

Answer = Literal["backorder", "no backorder"]
"""To the question what becomes of the rest."""


class Floor:
    """The warehouse WH of a simulated Odoo. SKUs and source documents stand for Odoo's ids."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def product(self, sku: str) -> int:
        """Id of a product. Raises KeyError for one that is not in the catalogue."""
        found = self._db.tables["product.product"].where("default_code", sku)
        if not found:
            raise KeyError(sku)
        return int(found[0]["id"])

    def stock(self, sku: str, units: int, *, lot: str | None = None, location: int = STOCK) -> None:
        """Put units on the shelf; from now on the product is counted, even with none."""
        shelves.put(self._db, self.product(sku), Decimal(units), location, lot)

    def count(self, sku: str, change: int, *, lot: str | None = None) -> None:
        """Count, and find so many more or less than the books say."""
        shelves.adjust(self._db, self.product(sku), Decimal(change), lot, "Product Quantity Updated")

    def kit(self, sku: str, parts: Mapping[str, int]) -> None:
        """Make a product a kit: a transfer of it asks for its parts."""
        self._db.kits[self.product(sku)] = {self.product(part): Decimal(units) for part, units in parts.items()}

    def on_hand(self, sku: str) -> Decimal:
        """Units on the shelf, reserved or not."""
        quants = self._db.tables["stock.quant"].where("product_id", self.product(sku))
        return sum((quant["quantity"] for quant in quants), Decimal(0))

    def transfers(self, origin: str) -> list[Record]:
        """Transfers with a source document, backorders among them, oldest first."""
        return self._db.tables["stock.picking"].where("origin", origin)

    def open(self, origin: str) -> Record:
        """The transfer that waits to be shipped. Raises IndexError when none does."""
        return [one for one in self.transfers(origin) if one["state"] not in ("done", "cancel")][-1]

    def pick(self, origin: str, taken: Mapping[str, int] | None = None) -> None:
        """Take units from the shelf for the open transfer: all that is reserved, or so many per SKU."""
        for move in transfers.moves_of(self._db, self.open(origin)):
            sku = self._db.tables["product.product"].rows[move["product_id"]]["default_code"]
            if taken is None or sku in taken:
                units = {} if taken is None else {"quantity": taken[sku]}
                transfers.write_move(self._db, "stock.move", [move["id"]], {}, vals={**units, "picked": True})

    def validate(self, origin: str, answer: Answer | None = None, *, tracking: str | None = None) -> object:
        """Press Validate on the open transfer, and answer the question about the rest; None leaves it unanswered."""
        picking = self.open(origin)
        if tracking is not None:
            self._db.tables["stock.picking"].update(picking["id"], {"carrier_tracking_ref": tracking})
        said: dict[str, object] = {"skip_sms": True}
        if answer is not None:
            said["skip_backorder"] = True
        if answer == "no backorder":
            said["picking_ids_not_to_backorder"] = [picking["id"]]
        return transfers.validate(self._db, "stock.picking", [picking["id"]], said)

    def cancel(self, origin: str) -> None:
        """Cancel the open transfer."""
        transfers.cancel(self._db, "stock.picking", [self.open(origin)["id"]], {})

    def take_back(self, name: str, units: Mapping[str, int], *, arrived: bool = True) -> Record:
        """Make a return of the transfer with this name, and receive it unless it has not arrived."""
        (done,) = [one for one in self._db.tables["stock.picking"].rows.values() if one["name"] == name]
        values = {
            "picking_type_id": 1,
            "location_id": CUSTOMERS,
            "location_dest_id": STOCK,
            "partner_id": done["partner_id"],
            "origin": f"Return of {name}",
            "return_id": done["id"],
        }
        (made,) = _ids(transfers.create_pickings(self._db, "stock.picking", [], {}, vals_list=[values]))
        row = self._db.tables["stock.picking"].rows[made]
        for move in transfers.moves_of(self._db, done):
            sku = self._db.tables["product.product"].rows[move["product_id"]]["default_code"]
            if sku in units:
                back = transfers.split(self._db, row, move, Decimal(units[sku]), state="assigned")
                back.update(origin_returned_move_id=move["id"], quantity=back["product_uom_qty"])
        transfers.restate(self._db, made)
        if arrived:
            moves = transfers.moves_of(self._db, row)
            transfers.ship(self._db, row, moves, [])
            for move in moves:
                shelves.put(self._db, move["product_id"], move["quantity"])
        return row


def _ids(made: object) -> list[int]:
    assert isinstance(made, list)
    return made
