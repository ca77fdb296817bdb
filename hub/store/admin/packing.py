"""The boxes and the label of a fulfilment order, for those who pack it."""

from datetime import datetime

import msgspec

from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.shipping import Parcel, ParcelLine
from hub.flow.cartons import Packed
from hub.flow.directory import Directory
from hub.flow.postage import packed_in
from hub.store import labels, orders
from hub.store.admin.errors import Missing
from hub.store.admin.fulfilments import get_fulfilment
from hub.store.database import PooledConnection


class BoxLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units in a box."""

    line: str
    """Our reference of the line, as the fulfilment order has it."""
    quantity: int


class PackedBox(msgspec.Struct, frozen=True, kw_only=True):
    """A box to pack."""

    box: str | None
    """Its code in the list of boxes; null for goods that go as they are, and where their size is unknown."""
    weight_g: int
    """With the box itself."""
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    lines: list[BoxLine]


class PackingView(msgspec.Struct, frozen=True, kw_only=True):
    """How a fulfilment order fits into boxes, by rule of thumb."""

    boxes: list[PackedBox]
    assumed: list[str]
    """What nobody knows of the items, and what was taken for it."""


class LabelledBox(msgspec.Struct, frozen=True, kw_only=True):
    """A box and the label for it."""

    tracking: str
    url: str | None
    """Where the label is, or a `data:` URL that holds it."""


class LabelView(msgspec.Struct, frozen=True, kw_only=True):
    """What was bought of a carrier for a fulfilment order."""

    carrier: str
    service: str
    media_type: str
    boxes: list[LabelledBox]
    amount: int
    """Minor units, for all boxes."""
    currency: str
    bought_at: datetime
    voided_at: datetime | None


async def get_label(connection: PooledConnection, merchant: str, id: str) -> LabelView:
    """The label of a fulfilment order; raises `Missing`."""
    view = await get_fulfilment(connection, merchant, id)
    kept = await labels.read(connection, *split_fulfilment_id(id))
    if kept is None:
        raise Missing(f"no label was bought for {view.id}")
    label = kept.label
    boxes = [LabelledBox(tracking=label.tracking, url=label.url)]
    return LabelView(
        carrier=label.carrier,
        service=label.service,
        media_type=label.media_type,
        boxes=boxes + [LabelledBox(tracking=one.tracking, url=one.url) for one in label.more],
        amount=label.amount,
        currency=label.currency,
        bought_at=kept.bought_at,
        voided_at=kept.voided_at,
    )


async def get_packing(connection: PooledConnection, directory: Directory, merchant: str, id: str) -> PackingView:
    """How it is best packed; raises `Missing`."""
    await get_fulfilment(connection, merchant, id)
    packed = await _packed(connection, directory, id)
    boxes = [
        PackedBox(
            box=one.box,
            weight_g=one.parcel.weight_g,
            length_mm=one.parcel.length_mm,
            width_mm=one.parcel.width_mm,
            height_mm=one.parcel.height_mm,
            lines=[BoxLine(line=str(no), quantity=units) for no, units in sorted(one.units.items())],
        )
        for one in packed.boxes
    ]
    return PackingView(boxes=boxes, assumed=list(packed.assumed))


async def labelled_parcels(connection: PooledConnection, directory: Directory, id: str) -> tuple[Parcel, ...]:
    """The parcels that a label was bought for, with what the packing put into each; none without a label.

    Where the label is for another number of boxes, nobody knows what is in which.
    """
    kept = await labels.read(connection, *split_fulfilment_id(id))
    if kept is None or kept.voided_at is not None:
        return ()
    label, packed = kept.label, await _packed(connection, directory, id)
    numbers = [label.tracking, *(one.tracking for one in label.more)]
    known = packed.boxes if len(packed.boxes) == len(numbers) else ()
    return tuple(
        Parcel(
            tracking=tracking,
            carrier=label.carrier,
            service=label.service or None,
            weight_g=known[place].parcel.weight_g if known else None,
            lines=tuple(ParcelLine(line=str(no), quantity=units) for no, units in known[place].units.items())
            if known
            else (),
        )
        for place, tracking in enumerate(numbers)
    )


async def _packed(connection: PooledConnection, directory: Directory, id: str) -> Packed:
    name, no = split_fulfilment_id(id)
    order = (await orders.by_id(connection, [name], lock=False))[name]
    goods = await labels.goods(connection, {d.item for d in order.demands.values() if d.item is not None})
    code = directory.nodes[order.fulfilments[no].node].code
    return packed_in(order, no, goods, directory.packing(order.merchant), code)
