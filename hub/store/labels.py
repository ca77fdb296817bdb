"""Labels that the hub buys: what is packed, whether one was bought, given back, or could not be."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from hub.domain.effects import BuyLabel, BuyReturnLabel, VoidLabel
from hub.domain.fulfilment import fulfilment_id
from hub.domain.ids import effect_key
from hub.domain.item import Customs, Dimensions
from hub.domain.money import MINOR_UNITS, major
from hub.domain.shipping import Label
from hub.flow.cartons import Goods
from hub.flow.ports import Claimed, LabelAsked
from hub.flow.trouble import Trouble
from hub.sdk.outcomes import NeedsPerson, Outcome, Refused
from hub.store.database import PooledConnection

# A purchase that may have been heard of is looked up at once when it is parked: its void waits for it.
GIVE_UP: Final = (
    "WITH wanted AS (SELECT e.id, e.connection_id, u.order_id, u.no "
    "FROM unnest($1::text[], $2::int[], $3::text[]) AS u(order_id, no, key) "
    "JOIN effect e ON e.order_id = u.order_id AND e.key = u.key AND e.kind = 'BuyLabel'), "
    "untried AS (SELECT o.id FROM outbox o JOIN wanted w ON w.id = o.id "
    "WHERE NOT o.look_first AND o.lease_until IS NULL ORDER BY o.id FOR UPDATE OF o SKIP LOCKED), "
    "gone AS (DELETE FROM outbox o USING untried t WHERE o.id = t.id RETURNING o.id), "
    "again AS (UPDATE outbox o SET parked = false, due_at = now() FROM wanted w "
    "WHERE o.id = w.id AND o.parked AND o.look_first RETURNING o.id) "
    "SELECT w.order_id, w.no, w.connection_id, g.id FROM wanted w LEFT JOIN gone g ON g.id = w.id"
)
KEEP: Final = (
    "INSERT INTO label (order_id, fulfilment_no, external_id, tracking, document, bought_at) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
)
KEEP_RETURN: Final = (
    "INSERT INTO return_label (return_id, order_id, external_id, tracking, document, bought_at) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
)
VOIDED: Final = "UPDATE label SET voided_at = $3 WHERE order_id = $1 AND fulfilment_no = $2 AND voided_at IS NULL"
READ: Final = "SELECT document, bought_at, voided_at FROM label WHERE order_id = $1 AND fulfilment_no = $2"
PURCHASES: Final = (
    "SELECT e.order_id, e.key, l.external_id, o.id IS NOT NULL AS pending "
    "FROM unnest($1::text[], $2::int[], $3::text[]) AS u(order_id, no, key) "
    "JOIN effect e ON e.order_id = u.order_id AND e.key = u.key AND e.kind = 'BuyLabel' "
    "LEFT JOIN outbox o ON o.id = e.id LEFT JOIN label l ON l.order_id = u.order_id AND l.fulfilment_no = u.no"
)
GOODS: Final = (
    "SELECT id, sku, weight_g, document ->> 'title' AS title, document ->> 'dimensions' AS size, "
    "document ->> 'customs' AS customs, document ->> 'price' AS price FROM item WHERE id = ANY($1::bigint[])"
)

_label: Final = msgspec.json.Decoder(Label)
_size: Final = msgspec.json.Decoder(Dimensions)
_customs: Final = msgspec.json.Decoder(Customs)
_price: Final = msgspec.json.Decoder(dict[str, Decimal])


class Kept(NamedTuple):
    """A label as it was bought."""

    label: Label
    bought_at: datetime
    voided_at: datetime | None


class Purchase(NamedTuple):
    """What became of buying a label."""

    external_id: str | None
    """The carrier's; None: none was bought, as far as anybody knows."""
    pending: bool
    """Not over yet: tried again, or parked for a person."""


def _keys(fulfilments: Iterable[tuple[str, int]]) -> list[tuple[str, int, str]]:
    return [(order, no, effect_key(fulfilment_id(order, no), "label", 1)) for order, no in sorted(set(fulfilments))]


async def give_up(
    connection: PooledConnection, fulfilments: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], LabelAsked]:
    """See `hub.flow.ports.OrdersUnit.give_up_labels`."""
    rows = await connection.fetch(GIVE_UP, *zip(*_keys(fulfilments), strict=True))
    return {(row[0], row[1]): LabelAsked(row[2], row[3]) for row in rows}


async def purchases(connection: PooledConnection, claimed: Iterable[Claimed]) -> dict[str, Purchase]:
    """Purchases that the voids among these effects are about, by the fulfilment order's id."""
    effects = [one.effect for one in claimed]
    keys = _keys((effect.order, effect.fulfilment) for effect in effects if isinstance(effect, VoidLabel))
    if not keys:
        return {}
    names = {key: fulfilment_id(order, no) for order, no, key in keys}
    rows = await connection.fetch(PURCHASES, *zip(*keys, strict=True))
    return {names[row["key"]]: Purchase(row["external_id"], row["pending"]) for row in rows}


async def goods(connection: PooledConnection, items: Iterable[int]) -> Mapping[int, Goods]:
    """What packing and customs ask of items."""
    rows = await connection.fetch(GOODS, sorted(items))
    return {
        row["id"]: Goods(
            row["sku"],
            row["title"],
            row["weight_g"],
            _size.decode(row["size"]) if row["size"] else None,
            _customs.decode(row["customs"]) if row["customs"] else None,
            _price.decode(row["price"]) if row["price"] else {},
        )
        for row in rows
    }


async def read(connection: PooledConnection, order: str, no: int) -> Kept | None:
    """The label of a fulfilment order."""
    row = await connection.fetchrow(READ, order, no)
    return None if row is None else Kept(label_of(row["document"]), row["bought_at"], row["voided_at"])


async def keep(connection: PooledConnection, effect: BuyLabel | BuyReturnLabel, label: Label, now: datetime) -> None:
    """Keep what was bought."""
    document = msgspec.json.encode(label).decode()
    if isinstance(effect, BuyLabel):
        subject: tuple[object, ...] = (effect.order, effect.fulfilment)
        sql = KEEP
    else:
        subject, sql = (effect.return_id, effect.order), KEEP_RETURN
    await connection.execute(sql, *subject, label.external_id, label.tracking, document, now)


async def voided(connection: PooledConnection, effect: VoidLabel, now: datetime) -> None:
    """The carrier took it back: it costs nothing."""
    await connection.execute(VOIDED, effect.order, effect.fulfilment, now)


def label_of(document: str) -> Label:
    """A label as it is kept."""
    return _label.decode(document)


def price_of(label: Label) -> str:
    """What a label cost, for people."""
    if not label.amount or label.currency not in MINOR_UNITS:
        return "a price that nobody told"
    return f"{major(label.amount, label.currency)} {label.currency}"


async def not_voided(connection: PooledConnection, claimed: Claimed, outcome: Outcome) -> Trouble | None:
    """The exception of a label that its carrier keeps the money of; None for anything else."""
    effect = claimed.effect
    if not isinstance(effect, VoidLabel) or not isinstance(outcome, Refused | NeedsPerson):
        return None
    kept = await read(connection, effect.order, effect.fulfilment)
    public = fulfilment_id(effect.order, effect.fulfilment)
    what = "Nobody knows whether a label was bought."
    if kept is not None:
        label = kept.label
        what = (
            f"The label {label.tracking} ({label.carrier} {label.service}) was bought for {price_of(label)} on "
            f"{kept.bought_at:%Y-%m-%d} and its goods stay here."
        )
    step = outcome.next_step if isinstance(outcome, NeedsPerson) else "Ask the carrier for the money by hand."
    return Trouble(
        kind="label_not_voided",
        cause=f"{claimed.connection}: {public}",
        next_step=f"{what} The carrier did not take it back: {outcome.reason}. {step}",
        connection=claimed.connection,
    )
