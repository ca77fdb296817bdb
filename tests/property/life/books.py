"""What must hold of a life: after every step, and when everything has come to rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hub.domain.order import OrderContent
from hub.domain.payment import PaymentKind
from hub.domain.states import AT_REST
from hub.store.verify import verify_stock
from tests.property.life.moves import illegal_moves
from tests.property.life.partners import SHIPPING, Sale
from tests.property.life.world import World

SUMS: Final = (
    "SELECT d.order_id, d.no FROM demand d LEFT JOIN slice s ON s.order_id = d.order_id AND s.demand_no = d.no "
    "WHERE d.sku = ANY($1::text[]) GROUP BY d.order_id, d.no, d.quantity "
    "HAVING coalesce(sum(s.quantity), 0) <> d.quantity"
)
GONE: Final = (
    "SELECT o.external_id, d.line, d.no, d.per_unit, coalesce(sum(s.quantity), 0)::int AS units FROM demand d "
    "JOIN customer_order o ON o.id = d.order_id LEFT JOIN slice s ON s.order_id = d.order_id AND s.demand_no = d.no "
    "AND s.state IN ('shipped', 'delivered', 'collected', 'returned') WHERE o.external_id = ANY($1::text[]) "
    "GROUP BY 1, 2, 3, 4"
)
MONEY: Final = (
    "SELECT o.external_id, coalesce(sum(r.amount) FILTER (WHERE r.state IN ('asked', 'done', 'by_hand')), 0)::bigint "
    "AS back FROM customer_order o LEFT JOIN refund r ON r.order_id = o.id WHERE o.external_id = ANY($1::text[]) "
    "GROUP BY 1"
)
REVISIONS: Final = (
    "SELECT o.external_id, r.document FROM customer_order o JOIN order_revision r ON r.order_id = o.id "
    "AND r.no = o.revision WHERE o.external_id = ANY($1::text[])"
)
RESTING: Final = ", ".join(f"'{state.value}'" for state in sorted(AT_REST))
# There is plenty of everything and nothing is held: only a refused pick-up waits for a person.
STUCK: Final = (
    "SELECT o.external_id, s.* FROM slice s JOIN customer_order o ON o.id = s.order_id "
    f"WHERE o.external_id = ANY($1::text[]) AND s.state NOT IN ({RESTING}, 'ready', 'expired') "
    "AND NOT EXISTS (SELECT FROM waiting w WHERE w.order_id = s.order_id AND w.demand_no = s.demand_no "
    "AND w.queue = 'pick_up')"
)
ON_SHELF: Final = (
    "SELECT (SELECT coalesce(sum(sellable), 0) FROM stock WHERE item_id = $1 AND node_id = $2)::int AS kept, "
    "(SELECT coalesce(sum(delta), 0) FROM stock_ledger WHERE item_id = $1 AND node_id = $2 "
    "AND condition = 'sellable' AND reason = 'return')::int AS back"
)
PARKED: Final = (
    "SELECT m.topic, i.last_error FROM inbox i JOIN message m ON m.id = i.id WHERE i.parked",
    "SELECT e.key, o.last_error FROM outbox o JOIN effect e ON e.id = o.id WHERE o.parked",
)


async def check_now(world: World, sales: Mapping[str, Sale], skus: Sequence[str]) -> None:
    """Conserved at every moment, whatever is still under way."""
    house = world.house
    async with house.parts.database.connection() as link:
        assert (drifts := await verify_stock(link)) == [], drifts
    assert (odd := await house.rows(SUMS, list(skus))) == [], odd
    assert (illegal := await illegal_moves(house)) == [], illegal
    for partner in world.partners:
        assert partner.violations == []
        twice = {key: times for key, times in partner.effects.items() if times > 1}
        assert not twice, f"{partner.name}: {twice}"
    assert not {what: times for what, times in world.books.documents.items() if times > 1}
    for sql in PARKED:
        assert (parked := await house.rows(sql)) == [], parked
    await _money(world, sales)


async def _money(world: World, sales: Mapping[str, Sale]) -> None:
    for sale in sales.values():
        taken = sale.total(PaymentKind.CAPTURE) + sale.total(PaymentKind.SALE)
        held = sale.total(PaymentKind.AUTHORISE) + sale.total(PaymentKind.SALE)
        assert taken <= held, f"{sale.id}: {taken} taken of {held}"
        assert sale.total(PaymentKind.REFUND) <= taken, f"{sale.id}: more went back than was taken"
    for row in await world.house.rows(MONEY, list(sales)):
        sale = sales[row["external_id"]]
        taken = sale.total(PaymentKind.CAPTURE) + sale.total(PaymentKind.SALE)
        assert row["back"] <= taken, f"{sale.id}: {row['back']} is to go back, {taken} was taken"


async def check_rest(world: World, sales: Mapping[str, Sale], own: Sequence[str]) -> None:
    """Nothing is left to do, and every book says the same."""
    house, names = world.house, list(sales)
    assert (stuck := await house.rows(STUCK, [*names, *own])) == [], stuck
    await _wanted(world, sales)
    left = _sold(await house.rows(GONE, names))
    for sale in sales.values():
        for line, units in left.get(sale.id, {}).items():
            assert units <= sale.most[line], f"{sale.id}, line {line}: {units} left, {sale.most[line]} wanted at most"
            confirmed, handed = sale.confirmed[line], sale.handed[line]
            # Of what others sent, a node may not have let go.
            told = f"{sale.id}, line {line}: {units} left, {confirmed} confirmed, {handed} sent by hand"
            assert max(confirmed, handed) <= units <= confirmed + handed, told
        _paid(sale, left.get(sale.id, {}))
    await _documents(world, names)


async def _wanted(world: World, sales: Mapping[str, Sale]) -> None:
    """The market has heard of every unit that was cancelled here, but for those that left in spite of it."""
    gone = await world.house.rows(GONE, list(sales))
    left, begun = _sold(gone), _begun(gone)
    for row in await world.house.rows(REVISIONS, list(sales)):
        sale, content = sales[row["external_id"]], msgspec.json.decode(row["document"], type=OrderContent)
        if sale.cancelled_at is not None or content.cancelled_at is not None:
            in_spite = any(left.get(sale.id, {}).values())
            assert sale.cancelled_at is not None or in_spite, f"{sale.id}: only cancelled here"
            continue
        for line in content.lines:
            name, cut = line.external_id, content.cut.get(line.external_id, 0)
            assert line.quantity + cut == sale.lines[name].wanted, f"{sale.id}, line {name}: {line} {cut} and {sale}"
            over = begun.get((sale.id, name), 0) - line.quantity
            assert cut <= max(0, over), f"{sale.id}, line {name}: {cut} cancelled and not told, {over} left in spite"


def _paid(sale: Sale, left: Mapping[str, int]) -> None:
    """What left was taken, as far as it was authorised and not let go meanwhile."""
    if sale.prepaid or sale.total(PaymentKind.VOID) or not any(left.values()):
        return
    due = SHIPPING
    for name, line in sale.lines.items():
        units = min(left.get(name, 0), line.ordered)
        for whole in (line.ordered * line.price, line.ordered * line.price * 8 // 100):
            due += whole * units // line.ordered if line.ordered else 0
    held, taken = sale.total(PaymentKind.AUTHORISE), sale.total(PaymentKind.CAPTURE)
    assert taken >= min(held, due), f"{sale.id}: {taken} taken, {due} due, {held} authorised"


def _sold(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Sold units that left, by sale and line: a kit by its slowest component."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        mine, units = found.setdefault(row["external_id"], {}), row["units"] // row["per_unit"]
        mine[row["line"]] = min(units, mine.get(row["line"], units))
    return found


def _begun(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    """Sold units of which anything left, by (sale, line): a kit by its fastest component."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        place, units = (row["external_id"], row["line"]), -(-row["units"] // row["per_unit"])
        found[place] = max(units, found.get(place, 0))
    return found


async def _documents(world: World, names: list[str]) -> None:
    """Each delivery is invoiced, and each refund credited, once."""
    shipments = await world.house.rows(
        "SELECT s.order_id, s.no, s.document FROM shipment s JOIN customer_order o ON o.id = s.order_id "
        "WHERE o.external_id = ANY($1::text[])",
        names,
    )
    kinds = Counter((order, kind) for order, kind, shipment in world.books.documents.elements() if shipment is not None)
    for order in {row["order_id"] for row in shipments}:
        mine = sum(row["order_id"] == order and '"lines":[{' in row["document"] for row in shipments)
        told = kinds[order, "delivery"], kinds[order, "invoice"]
        assert told == (mine, mine), f"{order}: {mine} shipments, {told} deliveries and invoices"


async def check_shelves(world: World, skus: Mapping[str, int], ignored: set[tuple[str, str]]) -> None:
    """What the depot has on its shelves is what the hub believes, where nothing was said to be missing."""
    for sku, item in skus.items():
        for location in ("EAST", "WEST"):
            if (location, sku) in ignored:
                continue
            (row,) = await world.house.rows(ON_SHELF, item, world.nodes[location])
            there = world.depot.shelves[location, sku] + row["back"]
            assert row["kept"] == there, f"{sku} at {location}: {there} there, {row['kept']} in the books"
