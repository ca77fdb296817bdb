"""What people do with returns: open, receive, grade, exchange, say whose goods they are."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import msgspec

from hub.domain.contact import Contact
from hub.domain.facts import ReturnedLine
from hub.domain.returns import Disposition, RefundWhen, Return
from hub.flow import returns as flow
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.exchange import Good, exchange
from hub.flow.grade import CannotGrade, Grades, grade
from hub.flow.returns import Asked, CannotReturn, Wanted
from hub.flow.take_back import grade_loose, match, settle_loose, unknown_goods
from hub.flow.take_order import advance
from hub.sdk.adapter import Lane
from hub.store.admin.direct import capture_direct
from hub.store.admin.errors import Conflict, Fault, Invalid, Missing, pointer
from hub.store.admin.returns import ReturnView, get_return, order_meant, order_of_return
from hub.store.returns import loose_return
from hub.web.api.order_actions import load
from hub.web.services import Work

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Word = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,62}$")]
Units = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**15)]


class ReturnLineBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sold units of a line, by its `line` or by its `sku`."""

    quantity: Units
    line: Text | None = None
    sku: Text | None = None
    reason: Word | None = None


class GoodBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the customer gets instead. `amount` is for the whole quantity, with tax; without it the exchange is even."""

    sku: Text
    quantity: Units
    amount: Amount | None = None


Lines = Annotated[list[ReturnLineBody], msgspec.Meta(max_length=500)]
Goods = Annotated[list[GoodBody], msgspec.Meta(min_length=1, max_length=100)]


class NewReturn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A return to open. Without lines it is everything that the customer has.

    `blind` is for goods that are there already, at `node`; of them the order may be unknown.
    """

    order: Text | None = None
    """Our id; the channel's id or number where only one order has it."""
    lines: Lines = []
    reason: Word = "other"
    """Of lines that say none of their own."""
    node: Text | None = None
    """Where it goes to; the router chooses when left out."""
    refund: RefundWhen | None = None
    """Another time than the rules'."""
    override: bool = False
    """Take it although the rules say no. Quantities are checked all the same."""
    blind: bool = False
    exchange: Goods | None = None


class ReceiveBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What arrived; no lines means all that is expected. `node` is where, if not where it was sent."""

    lines: Lines = []
    node: Text | None = None


class GradeLineBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of units of a line; without a quantity, of all that wait."""

    disposition: Disposition
    line: Text | None = None
    sku: Text | None = None
    quantity: Units | None = None


class GradeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `disposition` for everything that waits, or `lines`."""

    disposition: Disposition | None = None
    lines: Annotated[list[GradeLineBody], msgspec.Meta(max_length=500)] = []
    note: Text | None = None


class WhyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: Text


class ExchangeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the customer gets instead."""

    lines: Goods


class MatchBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose goods they are."""

    order: Text


Do = Callable[[Order, Batch], Awaitable[None] | None]


async def act_on(tx: Work, id: str, do: Do) -> ReturnView:
    """Do something to a return under its order's lock, and take the order as far as it goes."""
    name = await order_of_return(tx.connection, tx.merchant, id)
    if name is None:
        raise Conflict("no-order-yet", f"nobody knows the order of return {id} yet: POST /api/v1/returns/{id}/match")
    order = await load(tx, name)
    await tx.unit.peers([order])
    batch = await tx.batch()
    try:
        waiting = do(order, batch)
        if waiting is not None:
            await waiting
    except (CannotReturn, CannotGrade) as error:
        raise problem(error) from error
    await advance(tx.unit, [order], batch)
    tx.ring("deliver", "availability", "waiting")
    return await get_return(tx.connection, tx.merchant, id)


def problem(error: CannotReturn | CannotGrade) -> Exception:
    """What the API answers."""
    if isinstance(error, CannotReturn) and error.by_rule:
        return Conflict("not-returnable", str(error), reasons=[text for _, text in error.faults])
    if error.faults:
        return Invalid([Fault(text, f"{pointer('lines', index)}/quantity") for index, text in error.faults])
    return Conflict("cannot-do", str(error))


async def make(tx: Work, data: NewReturn) -> ReturnView:
    """Open a return."""
    batch = await tx.batch()
    node = node_id(batch, data.node)
    if data.blind and node is None:
        raise Invalid([Fault("is needed: where are the goods?", "/node")])
    if data.order is None:
        return await _without_order(tx, data, node, batch)
    order = await load(tx, await order_meant(tx.connection, tx.merchant, data.order))
    await tx.unit.peers([order])
    asked = Asked(
        wanted=wanted_of(order, data.lines, data.reason),
        who=tx.who,
        override=data.override,
        blind=data.blind,
        node=node,
        refund=data.refund,
    )
    try:
        made = await flow.open_return(tx.unit, order, asked, batch)
        if data.blind and node is not None:
            flow.receive(order, made.id, None, node, batch)
        elif data.exchange:
            await exchange_for(tx, order, made.id, data.exchange, batch)
    except (CannotReturn, CannotGrade) as error:
        raise problem(error) from error
    await advance(tx.unit, [order], batch)
    tx.ring("deliver", "availability", "waiting")
    return await get_return(tx.connection, tx.merchant, made.id)


async def _without_order(tx: Work, data: NewReturn, node: int | None, batch: Batch) -> ReturnView:
    if not data.blind or node is None:
        raise Invalid([Fault("is needed; only goods that are here already (blind) may come without one", "/order")])
    faults = [
        Fault("is needed for goods without an order", f"{pointer('lines', index)}/sku")
        for index, line in enumerate(data.lines)
        if line.sku is None
    ]
    if faults or not data.lines:
        raise Invalid(faults or [Fault("say what arrived", "/lines")])
    lines = [ReturnedLine(quantity=line.quantity, sku=line.sku) for line in data.lines]
    made = await unknown_goods(tx.unit, tx.merchant, lines, node, None, batch, who=tx.who)
    tx.ring("availability")
    return await get_return(tx.connection, tx.merchant, made.id)


def wanted_of(order: Order, lines: list[ReturnLineBody], reason: str) -> list[Wanted]:
    """Wanted units by line; a SKU means the lines of it in turn."""
    left = flow.returnable(order)
    if not lines:
        return [Wanted(line, units, reason) for line, units in left.items() if units]
    found: list[Wanted] = []
    for index, body in enumerate(lines):
        why = body.reason or reason
        if body.line is not None:
            found.append(Wanted(body.line, body.quantity, why))
            left[body.line] = left.get(body.line, 0) - body.quantity
            continue
        names = list(dict.fromkeys(d.line for d in order.demands.values() if d.sku == body.sku))
        if not names:
            raise Invalid([Fault("names no line of the order; give its line or sku", pointer("lines", index))])
        units = body.quantity
        for name in names:
            taken = units if name == names[-1] else min(units, max(0, left.get(name, 0)))
            if taken:
                found.append(Wanted(name, taken, why))
                left[name] = left.get(name, 0) - taken
                units -= taken
    return found


def node_id(batch: Batch, code: str | None) -> int | None:
    """The node of a code; raises `Invalid` for one that nobody knows."""
    if code is None:
        return None
    found = next((node.id for node in batch.directory.nodes.values() if node.code == code), None)
    if found is None:
        raise Invalid([Fault(f"no node {code}", "/node")])
    return found


def receive(data: ReceiveBody, id: str) -> Do:
    """Goods arrived."""

    def do(order: Order, batch: Batch) -> None:
        one = order.returns[id]
        node = node_id(batch, data.node) or one.node
        if node is None:
            raise Invalid([Fault("is needed: no node was chosen for this return", "/node")])
        arrived: dict[str, int] | None = None
        if data.lines:
            names = skus_of(order)
            arrived = {}
            for index, line in enumerate(data.lines):
                name = line.line or next((n for n in _lines_of(one) if line.sku and names.get(n) == line.sku), None)
                if name is None:
                    raise Invalid([Fault("names no line of this return", pointer("lines", index))])
                arrived[name] = arrived.get(name, 0) + line.quantity
        flow.receive(order, id, arrived, node, batch)

    return do


def skus_of(order: Order) -> dict[str, str | None]:
    """SKU by line."""
    return {demand.line: demand.sku for demand in reversed(order.demands.values())}


def _lines_of(one: Return) -> list[str]:
    return [line.line for line in one.lines]


def grades_of(one: Return, data: GradeBody, names: Mapping[str, str | None]) -> Grades:
    """What becomes of which units; raises `Invalid`."""
    if (data.disposition is None) == (not data.lines):
        raise Invalid([Fault("give either a disposition for all, or lines", "")])
    if data.disposition is not None:
        return {line.line: ((data.disposition, line.ungraded),) for line in one.lines if line.ungraded}
    found: dict[str, list[tuple[Disposition, int]]] = {}
    waiting = {line.line: line.ungraded for line in one.lines}
    for index, body in enumerate(data.lines):
        name = body.line or next((n for n in waiting if body.sku and names.get(n) == body.sku), None)
        if name is None or name not in waiting:
            raise Invalid([Fault("names no line of this return", pointer("lines", index))])
        units = body.quantity or waiting[name]
        waiting[name] -= units
        found.setdefault(name, []).append((body.disposition, units))
    return found


async def grade_it(tx: Work, id: str, data: GradeBody) -> ReturnView:
    """Say what becomes of received goods."""
    loose = await loose_return(tx.connection, tx.merchant, id)
    if loose is None:

        def do(order: Order, batch: Batch) -> None:
            one = order.returns[id]
            grade(order, id, grades_of(one, data, skus_of(order)), batch, data.note)

        return await act_on(tx, id, do)
    names: dict[str, str | None] = {line.line: line.line.removeprefix("sku:") for line in loose.lines}
    try:
        await grade_loose(tx.unit, loose, grades_of(loose, data, names), data.note, await tx.batch())
    except CannotGrade as error:
        raise problem(error) from error
    tx.ring("availability", "waiting")
    return await get_return(tx.connection, tx.merchant, id)


async def match_it(tx: Work, id: str, name: str) -> ReturnView:
    """Give goods their order."""
    order = await load(tx, await order_meant(tx.connection, tx.merchant, name))
    await tx.unit.peers([order])
    loose = await loose_return(tx.connection, tx.merchant, id)
    if loose is None:
        raise (
            Conflict("matched-already", f"the order of return {id} is known")
            if await _exists(tx, id)
            else Missing(f"no return {id}")
        )
    batch = await tx.batch()
    try:
        match(order, loose, batch)
    except CannotReturn as error:
        raise problem(error) from error
    await advance(tx.unit, [order], batch)
    await settle_loose(tx.unit, loose, batch)
    tx.ring("deliver")
    return await get_return(tx.connection, tx.merchant, id)


async def _exists(tx: Work, id: str) -> bool:
    return await order_of_return(tx.connection, tx.merchant, id) is not None


async def exchange_for(tx: Work, order: Order, id: str, goods: list[GoodBody], batch: Batch) -> None:
    rows = await tx.connection.fetch(
        "SELECT DISTINCT ON (key) key, document FROM contact WHERE order_id = $1 ORDER BY key, revision DESC", order.id
    )
    people = {row["key"]: msgspec.json.decode(row["document"], type=Contact) for row in rows if row["document"]}
    wanted = [Good(good.sku, good.quantity, good.amount) for good in goods]
    snapshot = exchange(order, id, wanted, people, tx.who, batch)
    await capture_direct(tx.connection, tx.merchant, snapshot, tx.now, tx.hub.new_id)
    tx.ring(Lane.ORDERS.value)
